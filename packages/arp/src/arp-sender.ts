// Builds and sends the ARP frames of this host. When to send which is decided elsewhere.
import { emitEthernetHeader, ETHERNET_HEADER_OCTETS, ETHERNET_MIN_OCTETS, EtherType } from '@rfsis/link';
import { ARP_OCTETS, ArpOperation, emitArpFields } from './arp-packet.js';
import type { ArpCounters } from './counters.js';
import type { ArpDevice, ArpTrailer, TrailerKind } from './options.js';

const BROADCAST_MAC = 0xffff_ffff_ffff;
/** RFC 5227 2.1.1: the target hardware address of a request is ignored and SHOULD be all zeroes. */
const UNKNOWN_MAC = 0;
const UNKNOWN_IP = 0;
const TRAILER_OFFSET = ETHERNET_HEADER_OCTETS + ARP_OCTETS;

/** One frame buffer, used for every packet in turn. Each method returns whether the device took the frame. */
export class ArpSender {
  readonly #device: ArpDevice;
  readonly #mac: number;
  readonly #counters: ArpCounters;
  readonly #trailer: ArpTrailer | undefined;
  readonly #frame: Uint8Array;
  readonly #body: Uint8Array;

  constructor(device: ArpDevice, counters: ArpCounters, trailer: ArpTrailer | undefined) {
    this.#device = device;
    this.#mac = device.mac.value;
    this.#counters = counters;
    this.#trailer = trailer;
    this.#frame = new Uint8Array(Math.max(ETHERNET_MIN_OCTETS, ETHERNET_HEADER_OCTETS + device.mtu));
    this.#body = this.#frame.subarray(ETHERNET_HEADER_OCTETS, TRAILER_OFFSET);
  }

  /** Asks everybody (RFC 826 "Packet Generation"). */
  request(senderIp: number, targetIp: number): boolean {
    return this.poll(BROADCAST_MAC, senderIp, targetIp);
  }

  /** Asks one host, point to point (RFC 1122 2.3.2.1 (2)). */
  poll(destination: number, senderIp: number, targetIp: number): boolean {
    this.#build(destination, ArpOperation.request, senderIp, UNKNOWN_MAC, targetIp);
    this.#counters.requestsSent++;
    return this.#send(undefined);
  }

  /** Answers the asker alone (RFC 826: swap hardware and protocol fields). */
  reply(senderIp: number, targetMac: number, targetIp: number): boolean {
    this.#build(targetMac, ArpOperation.reply, senderIp, targetMac, targetIp);
    this.#counters.repliesSent++;
    return this.#send(undefined);
  }

  /** RFC 5227 2.1.1: a request whose sender IP is all zero, so as not to pollute the caches of others. */
  probe(address: number): boolean {
    this.#build(BROADCAST_MAC, ArpOperation.request, UNKNOWN_IP, UNKNOWN_MAC, address);
    this.#counters.probesSent++;
    return this.#send('probe');
  }

  /**
   * RFC 5227 2.3: a request with sender and target IP alike. In the request form, for the reasons of RFC 5227 3; and
   * because Linux lets it override at once even an entry that was updated within the last second, which of the replies
   * only those may whose target MAC is the sender's.
   */
  announcement(address: number, kind: 'announcement' | 'defence'): boolean {
    this.#build(BROADCAST_MAC, ArpOperation.request, address, UNKNOWN_MAC, address);
    if (kind === 'defence') this.#counters.defencesSent++;
    else this.#counters.announcementsSent++;
    return this.#send(kind);
  }

  #build(
    destination: number,
    operation: number,
    senderIp: number,
    targetMac: number,
    targetIp: number,
  ): void {
    const body = emitEthernetHeader(this.#frame, 0, destination, this.#mac, EtherType.arp);
    emitArpFields(this.#frame, body, operation, this.#mac, senderIp, targetMac, targetIp);
  }

  #send(kind: TrailerKind | undefined): boolean {
    let length = TRAILER_OFFSET;
    const trailer = kind === undefined ? undefined : this.#trailer?.(this.#body, kind);
    if (trailer !== undefined && length + trailer.length > this.#frame.length) {
      this.#counters.trailersOmitted++;
    } else if (trailer !== undefined) {
      this.#frame.set(trailer, length);
      length += trailer.length;
    }
    if (length < ETHERNET_MIN_OCTETS) {
      this.#frame.fill(0, length, ETHERNET_MIN_OCTETS);
      length = ETHERNET_MIN_OCTETS;
    }
    const sent = this.#device.send(this.#frame, length);
    if (!sent) this.#counters.sendFailures++;
    return sent;
  }
}
