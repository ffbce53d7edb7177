// Frames and listeners for the tests of devices.
import { EtherType, MacAddress, emitEthernetHeader, type FrameBatch, type LinkDevice } from '../src/index.js';

/** 02:00:00:00:00:<number> */
export function macOf(number: number): MacAddress {
  return MacAddress.fromNumber(0x0200_0000_0000 + number);
}

/** An Ethernet frame whose payload is `text`, padded with zeros to `length`. */
export function frameOf(source: MacAddress, destination: MacAddress, text: string, length = 60): Uint8Array {
  const frame = new Uint8Array(length);
  const offset = emitEthernetHeader(frame, 0, destination.value, source.value, EtherType.ipv4);
  frame.set(new TextEncoder().encode(text), offset);
  return frame;
}

/** The payload of a frame made by {@link frameOf}. */
export function textOf(frame: Uint8Array): string {
  return new TextDecoder().decode(frame.subarray(14)).replace(/\0+$/, '');
}

/** Opens a device; the array grows by the payload of each frame. */
export function listen(device: LinkDevice, onLinkState?: (up: boolean) => void): string[] {
  const texts: string[] = [];
  device.open((batch: FrameBatch) => {
    for (let index = 0; index < batch.count; index++) texts.push(textOf(batch.frame(index)));
  }, onLinkState);
  return texts;
}
