import { describe, expect, it } from 'vitest';
import { findProgram, judgeAvailability, type MachineFacts } from '../src/requirements.js';

const facts: MachineFacts = {
  platform: 'linux',
  user: 0,
  capabilities: (1n << 41n) - 1n,
  hasProgram: () => true,
};

describe('requirements', () => {
  it('are met on Linux as root with all programs', () => {
    expect(judgeAvailability(facts)).toEqual({ ok: true });
  });

  it('name the user as the obstacle, on one line', () => {
    expect(judgeAvailability({ ...facts, user: 1000 })).toEqual({
      ok: false,
      reason: 'network namespaces need root: run as root (sudo)',
    });
  });

  it('name the system as the obstacle', () => {
    expect(judgeAvailability({ ...facts, platform: 'darwin' })).toEqual({
      ok: false,
      reason: 'network namespaces exist on Linux only, this is darwin',
    });
  });

  it('name the capability that root lacks in a container', () => {
    expect(judgeAvailability({ ...facts, capabilities: facts.capabilities & ~(1n << 21n) })).toEqual({
      ok: false,
      reason: 'root lacks CAP_SYS_ADMIN here: start the container privileged',
    });
  });

  it('name the Debian packages of missing programs', () => {
    const hasProgram = (program: string): boolean => !['ip', 'nft', 'tshark'].includes(program);
    expect(judgeAvailability({ ...facts, hasProgram })).toEqual({
      ok: false,
      reason: 'ip, nft, tshark not found: run apt-get install iproute2 nftables tshark',
    });
  });

  it('ask only for what is needed', () => {
    const hasProgram = (program: string): boolean => program !== 'tshark';
    expect(judgeAvailability({ ...facts, hasProgram }, ['network', 'capture'])).toEqual({ ok: true });
  });

  it('finds programs in the folders of the system without help of PATH', () => {
    expect(findProgram('sh')).toMatch(/^\/(usr\/)?bin\/sh$/);
    expect(findProgram('no-such-program-anywhere')).toBeUndefined();
  });
});
