/** Offsets in the file header and in a section header of ELF's 64-bit format (elf(5)). */
const FILE = { sectionsAt: 40, sectionSize: 58, sectionCount: 60, namesIndex: 62 };
const SECTION = { type: 4, flags: 8, offset: 24, length: 32, link: 40, info: 44, size: 64 };
const ALLOCATED = 2;
const INFO_IS_SECTION = 0x40;
const NO_BITS = 8;

/** A section, with its header as it stands in the file. */
type Section = {
  readonly header: Buffer;
  /** Part of what is loaded when the program runs. */
  readonly loaded: boolean;
  readonly start: number;
  /** The end of what it takes in the file. */
  readonly end: number;
};

/**
 * An executable without symbols and debugging information, as `strip` of binutils would leave it, for every architecture
 * and without binutils. What is loaded when it runs stays as it is, byte for byte.
 *
 * @param elf a 64-bit little-endian ELF file, in which what is not loaded lies behind what is
 * @throws {Error} when it is anything else
 */
export function stripped(elf: Buffer): Buffer {
  const sections = readSections(elf);
  const namesIndex = elf.readUInt16LE(FILE.namesIndex);
  const names = sections[namesIndex];
  if (names === undefined) throw new Error('an ELF file without names of sections');
  const end = Math.max(...sections.map(it => (it.loaded ? it.end : 0)));
  if (sections.some((it, index) => index > 0 && !it.loaded && it.start < end))
    throw new Error('an ELF file in which something that is not loaded lies before something that is');

  const kept = sections.filter((it, index) => index === 0 || it.loaded || it === names);
  const newIndex = (old: number) => {
    const section = sections[old];
    return section === undefined ? 0 : Math.max(0, kept.indexOf(section));
  };
  const nameText = elf.subarray(names.start, names.end);
  const padding = Buffer.alloc(-(end + nameText.length) & 7);
  const headers = kept.map(({ header }) => {
    const moved = Buffer.from(header);
    moved.writeUInt32LE(newIndex(header.readUInt32LE(SECTION.link)), SECTION.link);
    if (header.readUInt32LE(SECTION.flags) & INFO_IS_SECTION)
      moved.writeUInt32LE(newIndex(header.readUInt32LE(SECTION.info)), SECTION.info);
    if (header === names.header) moved.writeBigUInt64LE(BigInt(end), SECTION.offset);
    return moved;
  });
  const result = Buffer.concat([elf.subarray(0, end), nameText, padding, ...headers]);
  result.writeBigUInt64LE(BigInt(end + nameText.length + padding.length), FILE.sectionsAt);
  result.writeUInt16LE(kept.length, FILE.sectionCount);
  result.writeUInt16LE(newIndex(namesIndex), FILE.namesIndex);
  return result;
}

function readSections(elf: Buffer): readonly Section[] {
  // Magic number, 64 bits, little-endian.
  if (elf.subarray(0, 6).toString('latin1') !== '\x7fELF\x02\x01')
    throw new Error('not an ELF file of 64 bits');
  const at = Number(elf.readBigUInt64LE(FILE.sectionsAt));
  if (at === 0 || elf.readUInt16LE(FILE.sectionSize) !== SECTION.size)
    throw new Error('an ELF file without sections');
  return Array.from({ length: elf.readUInt16LE(FILE.sectionCount) }, (_, index) => {
    const header = elf.subarray(at + index * SECTION.size, at + (index + 1) * SECTION.size);
    const start = Number(header.readBigUInt64LE(SECTION.offset));
    const inFile =
      header.readUInt32LE(SECTION.type) === NO_BITS ? 0n : header.readBigUInt64LE(SECTION.length);
    const loaded = (header.readUInt32LE(SECTION.flags) & ALLOCATED) !== 0;
    return { header, loaded, start, end: start + Number(inFile) };
  });
}
