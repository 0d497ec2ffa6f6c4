import type { Answer } from 'dns-packet';
import { isIP } from 'node:net';
import { ProbeFailure } from '../wire/reason.ts';
import type { RecordType } from './codes.ts';

/** A record's data as a zone file has it: names in lower case, without a dot at their end. */
export function textOf(answer: Answer): string {
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      if (isIP(answer.data) === 0) throw new ProbeFailure('protocol', 'the reply is malformed: no address');
      return normalise(answer.data, answer.type);
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return normalise(answer.data, answer.type);
    case 'MX':
      return normalise(`${answer.data.preference} ${answer.data.exchange}`, 'MX');
    case 'SRV': {
      const { priority, weight, port, target } = answer.data;
      return normalise(`${priority} ${weight} ${port} ${target}`, 'SRV');
    }
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = answer.data;
      return [hostOf(mname), hostOf(rname), serial, refresh, retry, expire, minimum].join(' ');
    }
    case 'CAA':
      return `${answer.data.flags} ${answer.data.tag.toLowerCase()} "${answer.data.value}"`;
    case 'TXT':
      return Buffer.concat([answer.data].flat().map((part) => Buffer.from(part))).toString('utf8');
    default:
      return '';
  }
}

/** What a user wrote, in the form that textOf gives. */
export function normalise(written: string, type: RecordType): string {
  switch (type) {
    case 'A':
      return written;
    case 'AAAA':
      // The one way to write an address (RFC 5952).
      return isIP(written) === 6 ? new URL(`http://[${written}]/`).hostname.slice(1, -1) : written;
    case 'TXT':
      return written;
    case 'CAA':
      return written.replace(
        /^(\d+)\s+(\w+)\s+"?(.*?)"?$/,
        (_all, flags: string, tag: string, value: string) =>
          [flags, tag.toLowerCase(), `"${value}"`].join(' '),
      );
    default:
      return written.trim().split(/\s+/).map(hostOf).join(' ');
  }
}

function hostOf(name: string): string {
  const lower = name.toLowerCase();
  return lower === '.' ? lower : lower.replace(/\.$/, '');
}

/** The name that an address is looked up by (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(address: string): string {
  if (isIP(address) === 4) return `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
  const [head = '', tail] = normalise(address.replace(/%.*$/, ''), 'AAAA').split('::');
  const groups = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const [before, after] = [groups(head), groups(tail)];
  const between = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const digits = [...before, ...between, ...after].map((group) => group.padStart(4, '0')).join('');
  return `${digits.split('').toReversed().join('.')}.ip6.arpa`;
}
