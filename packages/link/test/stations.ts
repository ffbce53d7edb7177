// Frames and listeners for the tests of devices.
import {
  EtherType,
  MacAddress,
  checksum,
  emitEthernetHeader,
  writeU16,
  type FrameBatch,
  type LinkDevice,
} from '../src/index.js';

/** 02:00:00:00:00:<number> */
export function macOf(number: number): MacAddress {
  return MacAddress.fromNumber(0x0200_0000_0000 + number);
}

const IP_END = 34;

/** A frame whose datagram, of the experimental protocol 253, carries `text`; padded with zeros to `length`. */
export function frameOf(source: MacAddress, destination: MacAddress, text: string, length = 60): Uint8Array {
  const frame = new Uint8Array(length);
  const offset = emitEthernetHeader(frame, 0, destination.value, source.value, EtherType.ipv4);
  frame[offset] = 0x45;
  writeU16(frame, offset + 2, length - offset);
  writeU16(frame, offset + 8, 0x01fd);
  frame.set([192, 0, 2, 1, 192, 0, 2, 2], offset + 12);
  writeU16(frame, offset + 10, checksum(frame, offset, 20));
  frame.set(new TextEncoder().encode(text), IP_END);
  return frame;
}

/** The text of a frame made by {@link frameOf}. */
export function textOf(frame: Uint8Array): string {
  return new TextDecoder().decode(frame.subarray(IP_END)).replace(/\0+$/, '');
}

/** Opens a device; the array grows by the payload of each frame. */
export function listen(device: LinkDevice, onLinkState?: (up: boolean) => void): string[] {
  const texts: string[] = [];
  device.open((batch: FrameBatch) => {
    for (let index = 0; index < batch.count; index++) texts.push(textOf(batch.frame(index)));
  }, onLinkState);
  return texts;
}
