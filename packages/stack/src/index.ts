// @rfsis/stack: a user-space IPv4 host. See README.md for what is here and what is not. The node:dgram-shaped sockets
// are in @rfsis/stack/dgram.
export type { EthernetCounters, EthernetRxDrop, StackCounters } from './counters.js';
export { errnoOf, SocketError, type SocketErrorCode, StackError, type StackErrorCode } from './errors.js';
export * from './icmp/counters.js';
export * from './icmp/message.js';
export type { IcmpLayer } from './icmp/icmp-layer.js';
export type { PingOptions, PingReply } from './icmp/pinger.js';
export type { ErrorRates } from './icmp/rate-limit.js';
export {
  ALL_HOSTS,
  type AddressTable,
  isLoopbackIpv4,
  LIMITED_BROADCAST,
  LOOPBACK_ADDRESS,
  type Scope,
} from './ipv4/addresses.js';
export type { Ipv4Counters, Ipv4RxDrop, Ipv4TxDrop } from './ipv4/counters.js';
export type { Ipv4Layer, Ipv4Limits } from './ipv4/ipv4-layer.js';
export * from './ipv4/packet.js';
export type { PathMtuLimits, PathMtuTable } from './ipv4/path-mtu.js';
export { type ErrorReport, InboundPacket, type Ipv4Protocol } from './ipv4/protocol.js';
export type { FragmentDrop, ReassemblyCounters, ReassemblyLimits, Reassembler } from './ipv4/reassembler.js';
export type { FragmentDefect } from './ipv4/reassembly.js';
export type { Route, RouteTable } from './ipv4/routes.js';
export { type ChecksumVerdict, judgeChecksum } from './ipv4/transport-checksum.js';
export {
  type Fragmentation,
  type SendOutcome,
  TRANSMIT_PAYLOAD,
  type TransmitOptions,
  type Transmitter,
} from './ipv4/transmitter.js';
export { KeyedHash } from './keyed-hash.js';
export { DEFAULT_STACK_LIMITS, type StackLimits, type StackOptions } from './options.js';
export { Stack } from './stack.js';
export * from './udp/counters.js';
export * from './udp/datagram.js';
export type { EphemeralPortRange } from './udp/ephemeral-ports.js';
export type { UdpLayer, UdpLimits } from './udp/udp-layer.js';
export { type UdpBindOptions, UdpDatagram, UdpSocket } from './udp/udp-socket.js';
