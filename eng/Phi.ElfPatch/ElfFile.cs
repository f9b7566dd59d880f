using System.Buffers.Binary;
using System.Text;

namespace Phi.ElfPatch;

/// <summary>
/// The parts of a 64-bit little-endian ELF file that say which symbol versions it needs (gabi, and "Symbol Versioning" of the Linux
/// Standard Base: sections <c>.gnu.version_r</c>, <c>.gnu.version</c>, <c>.dynsym</c> and the relocations).
/// </summary>
public sealed class ElfFile
{
    private const uint RelocationWithAddend = 4;
    private const uint Relocation = 9;
    private const uint DynamicSymbols = 11;
    private const uint VersionNeeds = 0x6ffffffe;
    private const uint SymbolVersions = 0x6fffffff;
    private const int SymbolSize = 24;
    private readonly byte[] _bytes;
    private readonly List<Section> _sections;

    /// <exception cref="ElfException">The bytes are no 64-bit little-endian ELF file, or are cut off.</exception>
    public ElfFile(byte[] bytes)
    {
        _bytes = bytes;
        if (bytes.Length < 64 || !bytes.AsSpan(0, 6).SequenceEqual("\x7f"u8.ToArray().Concat("ELF\x02\x01"u8.ToArray()).ToArray()))
        {
            throw new ElfException("not a 64-bit little-endian ELF file");
        }

        var offset = (long)U64(0x28);
        var size = U16(0x3A);
        var count = U16(0x3C);
        _sections = [.. Enumerable.Range(0, count).Select(i => ReadSection(offset + (long)i * size))];
    }

    /// <summary>Every version that the file needs of a library.</summary>
    public IEnumerable<VersionNeed> Needs()
    {
        foreach (var section in _sections.Where(s => s.Type == VersionNeeds))
        {
            var strings = _sections[(int)section.Link];
            var need = section.Offset;
            for (uint i = 0; i < section.Info; i++)
            {
                var library = Text(strings, U32(need + 4));
                var entry = need + U32(need + 8);
                for (var left = U16(need + 2); left > 0; left--)
                {
                    yield return new VersionNeed(library, Text(strings, U32(entry + 8)), entry + 4, U16(entry + 4), U16(entry + 6));
                    entry += U32(entry + 12);
                }

                need += U32(need + 12);
            }
        }
    }

    /// <summary>Names of the dynamic symbols that ask for a version index.</summary>
    public IReadOnlyList<string> SymbolsOf(ushort versionIndex) => [.. SymbolIndices(versionIndex).Select(SymbolName)];

    /// <summary>Names of the symbols of a version index that a relocation refers to, so that the loader looks them up.</summary>
    public IReadOnlyList<string> RelocatedSymbolsOf(ushort versionIndex)
    {
        var wanted = SymbolIndices(versionIndex).ToHashSet();
        var found = new HashSet<int>();
        foreach (var section in _sections.Where(s => s.Type is Relocation or RelocationWithAddend))
        {
            var size = section.Type == Relocation ? 16 : 24;
            for (var at = section.Offset; at + size <= section.Offset + section.Size; at += size)
            {
                var symbol = (int)(U64(at + 8) >> 32);
                if (wanted.Contains(symbol))
                {
                    found.Add(symbol);
                }
            }
        }

        return [.. found.Select(SymbolName)];
    }

    private IEnumerable<int> SymbolIndices(ushort versionIndex)
    {
        if (_sections.Find(s => s.Type == SymbolVersions) is not { } versions)
        {
            yield break;
        }

        for (var i = 0; i < versions.Size / 2; i++)
        {
            // The top bit hides a symbol; the rest is the index.
            if ((U16(versions.Offset + 2L * i) & 0x7fff) == versionIndex)
            {
                yield return i;
            }
        }
    }

    private string SymbolName(int index)
    {
        var symbols = _sections.Find(s => s.Type == DynamicSymbols) ?? throw new ElfException("no dynamic symbol table");
        return Text(_sections[(int)symbols.Link], U32(symbols.Offset + (long)index * SymbolSize));
    }

    private Section ReadSection(long at) =>
        new(U32(at + 4), (long)U64(at + 0x18), (long)U64(at + 0x20), U32(at + 0x28), U32(at + 0x2C));

    private string Text(Section strings, uint offset)
    {
        var rest = Slice(strings.Offset + offset, 1, toEnd: true);
        var end = rest.IndexOf((byte)0);
        return end < 0 ? throw new ElfException("a name is cut off") : Encoding.ASCII.GetString(rest[..end]);
    }

    private ushort U16(long at) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(at, 2));

    private uint U32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(at, 4));

    private ulong U64(long at) => BinaryPrimitives.ReadUInt64LittleEndian(Slice(at, 8));

    private ReadOnlySpan<byte> Slice(long at, int length, bool toEnd = false) =>
        at < 0 || at + length > _bytes.Length
            ? throw new ElfException($"the file is cut off: offset {at} is past its {_bytes.Length} bytes")
            : toEnd ? _bytes.AsSpan((int)at) : _bytes.AsSpan((int)at, length);

    private sealed record Section(uint Type, long Offset, long Size, uint Link, uint Info);
}
