// Capture files in the pcapng format (draft-ietf-opsawg-pcapng): section header, interfaces, enhanced packet blocks. Read
// them with Wireshark or tshark. Reading is not done here.
import type { MacAddress } from './mac-address.js';

// Block types
const SECTION_HEADER = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
const LINKTYPE_ETHERNET = 1;

// Option codes
const OPT_COMMENT = 1;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_DESCRIPTION = 3;
const IF_MACADDR = 6;
const IF_TSRESOL = 9;
const EPB_FLAGS = 2;

/** Timestamps count 10^-6 seconds: as fine as milliseconds since 1970 with fractions are. */
const MICROSECONDS = 6;

/** The smallest block: type, length, and length again. */
const BLOCK_FRAME_OCTETS = 12;

/** Takes a piece of the file. The piece belongs to the sink: it may be written later, for example by a stream. */
export type PcapngSink = (chunk: Uint8Array) => void;

/** Options of {@link PcapngWriter}. */
export interface PcapngWriterOptions {
  /** The program that writes the file; default `rfsis`. */
  readonly application?: string;
  /** About the whole file. */
  readonly comment?: string;
  /** Octets kept of each frame; the rest is cut off, its length is still recorded. Default: all. */
  readonly snapOctets?: number;
}

/** An interface on which frames are captured. */
export interface PcapngInterface {
  readonly name: string;
  readonly description?: string;
  readonly mac?: MacAddress;
}

/** Which way a captured frame went. */
export const FrameDirection = { unknown: 0, inbound: 1, outbound: 2 } as const;
export type FrameDirection = (typeof FrameDirection)[keyof typeof FrameDirection];

interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

const text = new TextEncoder();

/** Writes a pcapng file with Ethernet frames. The file is complete after every call. */
export class PcapngWriter {
  readonly #sink: PcapngSink;
  readonly #snapOctets: number;
  #interfaces = 0;

  constructor(sink: PcapngSink, options: PcapngWriterOptions = {}) {
    this.#sink = sink;
    this.#snapOctets = options.snapOctets ?? 0;
    const fields = new Uint8Array(16);
    const view = new DataView(fields.buffer);
    view.setUint32(0, BYTE_ORDER_MAGIC, true);
    view.setUint16(4, 1, true); // version 1.0
    view.setInt32(8, -1, true); // section length not known: -1 in 64 bits
    view.setInt32(12, -1, true);
    const settings = [textOption(SHB_USERAPPL, options.application ?? 'rfsis')];
    if (options.comment !== undefined) settings.push(textOption(OPT_COMMENT, options.comment));
    sink(block(SECTION_HEADER, fields, new Uint8Array(0), settings));
  }

  /** Describes an interface. @returns its number, for {@link PcapngWriter.frame} */
  addInterface(description: PcapngInterface): number {
    const fields = new Uint8Array(8);
    const view = new DataView(fields.buffer);
    view.setUint16(0, LINKTYPE_ETHERNET, true);
    view.setUint32(4, this.#snapOctets, true);
    const settings = [
      textOption(IF_NAME, description.name),
      { code: IF_TSRESOL, value: Uint8Array.of(MICROSECONDS) },
    ];
    if (description.description !== undefined) {
      settings.push(textOption(IF_DESCRIPTION, description.description));
    }
    if (description.mac !== undefined) {
      const value = new Uint8Array(6);
      description.mac.writeTo(value, 0);
      settings.push({ code: IF_MACADDR, value });
    }
    this.#sink(block(INTERFACE_DESCRIPTION, fields, new Uint8Array(0), settings));
    return this.#interfaces++;
  }

  /**
   * Records a frame; its octets are copied.
   * @param interfaceNumber from {@link PcapngWriter.addInterface}
   * @param wallMs milliseconds since 1970, with fractions
   */
  frame(
    interfaceNumber: number,
    wallMs: number,
    frame: Uint8Array,
    direction: FrameDirection = FrameDirection.unknown,
    comment?: string,
  ): void {
    const kept = this.#snapOctets > 0 ? Math.min(frame.length, this.#snapOctets) : frame.length;
    const timestamp = Math.max(0, Math.round(wallMs * 1000));
    const fields = new Uint8Array(20);
    const view = new DataView(fields.buffer);
    view.setUint32(0, interfaceNumber, true);
    view.setUint32(4, Math.floor(timestamp / 0x1_0000_0000), true);
    view.setUint32(8, timestamp % 0x1_0000_0000, true);
    view.setUint32(12, kept, true);
    view.setUint32(16, frame.length, true);
    const settings: Option[] = [];
    if (direction !== FrameDirection.unknown) {
      settings.push({ code: EPB_FLAGS, value: Uint8Array.of(direction, 0, 0, 0) });
    }
    if (comment !== undefined) settings.push(textOption(OPT_COMMENT, comment));
    this.#sink(block(ENHANCED_PACKET, fields, frame.subarray(0, kept), settings));
  }
}

function textOption(code: number, value: string): Option {
  // An option's length has 16 bits.
  return { code, value: text.encode(value).subarray(0, 0xffff) };
}

/** To a multiple of four octets, as everything in the format is. */
function padded(octets: number): number {
  return (octets + 3) & ~3;
}

function block(type: number, fields: Uint8Array, data: Uint8Array, options: readonly Option[]): Uint8Array {
  const optionOctets =
    options.length === 0 ? 0 : options.reduce((sum, { value }) => sum + 4 + padded(value.length), 4);
  const length = BLOCK_FRAME_OCTETS + fields.length + padded(data.length) + optionOctets;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  bytes.set(fields, 8);
  bytes.set(data, 8 + fields.length);
  let offset = 8 + fields.length + padded(data.length);
  for (const { code, value } of options) {
    view.setUint16(offset, code, true);
    view.setUint16(offset + 2, value.length, true);
    bytes.set(value, offset + 4);
    offset += 4 + padded(value.length);
  }
  // The end of the options is four zero octets.
  view.setUint32(length - 4, length, true);
  return bytes;
}
