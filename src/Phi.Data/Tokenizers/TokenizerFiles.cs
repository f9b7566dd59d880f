using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Phi.Data.Tokenizers;

/// <summary>
/// A tokenizer as it is kept: its kind, and for codegen and bpe the contents of <c>vocab.json</c> and <c>merges.txt</c>. In a folder of prepared
/// data or a checkpoint, <c>phi_tokenizer.json</c> beside them names the kind, and <see cref="TransformersFiles"/> to transformers.
/// </summary>
public sealed class TokenizerFiles
{
    public const string BytesKind = "bytes";
    public const string CodegenKind = "codegen";
    public const string BpeKind = "bpe";
    private const string DescriptionName = "phi_tokenizer.json";
    private const string VocabularyName = "vocab.json";
    private const string MergesName = "merges.txt";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };
    private readonly byte[] _vocabulary;
    private readonly byte[] _merges;
    private readonly Lazy<ITokenizer> _tokenizer;

    private TokenizerFiles(string kind, byte[] vocabulary, byte[] merges)
    {
        (Kind, _vocabulary, _merges) = (kind, vocabulary, merges);
        _tokenizer = new Lazy<ITokenizer>(Create);
        Digest = Hash(kind, vocabulary, merges);
    }

    /// <summary>Names of the files that a tokenizer may have.</summary>
    internal static IReadOnlyList<string> Names { get; } = [DescriptionName, TransformersFiles.SettingsName, TransformersFiles.AddedName, VocabularyName, MergesName];

    public static TokenizerFiles Bytes { get; } = new(BytesKind, [], []);

    /// <summary>bytes, codegen or bpe.</summary>
    public string Kind { get; }

    /// <summary>SHA-256 over kind and files, in lowercase hexadecimal: two tokenizers with the same one make the same tokens.</summary>
    public string Digest { get; }

    /// <exception cref="DataException">The files are damaged.</exception>
    public ITokenizer Tokenizer => _tokenizer.Value;

    /// <summary>The files that <see cref="Read"/> needs, by name.</summary>
    public IReadOnlyList<(string Name, byte[] Content)> Contents
    {
        get
        {
            var description = JsonSerializer.SerializeToUtf8Bytes(new Description(Kind, Tokenizer.VocabularySize, Tokenizer.EndOfText, Digest), Json);
            return Tokenizer is BpeTokenizer tokenizer
                ? [(VocabularyName, _vocabulary), (MergesName, _merges), .. TransformersFiles.Of(tokenizer), (DescriptionName, description)]
                : [(DescriptionName, description)];
        }
    }

    /// <summary>
    /// The tokenizer of a checkpoint, of prepared data or of a Hugging Face folder, whose <c>tokenizer_config.json</c> says whether its
    /// vocabulary is codegen's; bytes where the folder has none.
    /// </summary>
    /// <exception cref="DataException">Its files are missing or changed.</exception>
    public static ITokenizer Load(string folder) => Read(folder).Tokenizer;

    /// <inheritdoc cref="Load"/>
    public static TokenizerFiles Read(string folder) => TryRead(folder) ?? Bytes;

    /// <summary>As <see cref="Read"/>, but null where the folder has neither <c>phi_tokenizer.json</c> nor <c>vocab.json</c>.</summary>
    /// <exception cref="DataException">Its files are missing or changed.</exception>
    public static TokenizerFiles? TryRead(string folder) => TryRead(folder, name => File.Exists(Path.Combine(folder, name)) ? ReadFile(Path.Combine(folder, name)) : null);

    /// <summary>As <see cref="TryRead(string)"/>, of files that lie anywhere.</summary>
    /// <param name="place">What holds them, as messages name it.</param>
    /// <param name="read">Gives a file by its name; null if there is none.</param>
    /// <exception cref="DataException">Files are missing or changed.</exception>
    public static TokenizerFiles? TryRead(string place, Func<string, byte[]?> read)
    {
        if (read(DescriptionName) is not { } content)
        {
            return read(VocabularyName) is null ? null : Create(TransformersFiles.Kind(place, read(TransformersFiles.SettingsName)));
        }

        var description = ReadDescription($"{place}/{DescriptionName}", content);
        var files = description.Kind == BytesKind ? Bytes : Create(description.Kind);
        return files.Digest == description.Digest
            ? files
            : throw new DataException($"{place}: the tokenizer's files have the digest {files.Digest} and {DescriptionName} says {description.Digest}. They changed; restore them.");

        TokenizerFiles Create(string kind) => FromContents(kind, () => (Required(VocabularyName), Required(MergesName)));
        byte[] Required(string name) => read(name) ?? throw new DataException($"the tokenizer needs {place}/{name}, which is not there. Restore it.");
    }

    /// <summary>What an option names: <c>bytes</c>, <c>codegen:DIR</c> or <c>bpe:DIR</c>, DIR with vocab.json and merges.txt.</summary>
    public static TokenizerFiles Parse(string option)
    {
        var colon = option.IndexOf(':', StringComparison.Ordinal);
        return option == BytesKind ? Bytes
            : colon > 0 && colon < option.Length - 1 ? FromFolder(option[..colon], option[(colon + 1)..])
            : throw new DataException($"tokenizer '{option}' is none of bytes, codegen:DIR, bpe:DIR. Write one of them.");
    }

    public static TokenizerFiles FromFolder(string kind, string folder) => FromFiles(kind, Path.Combine(folder, VocabularyName), Path.Combine(folder, MergesName));

    public static TokenizerFiles FromFiles(string kind, string vocabulary, string merges) => FromContents(kind, () => (ReadFile(vocabulary), ReadFile(merges)));

    private static TokenizerFiles FromContents(string kind, Func<(byte[] Vocabulary, byte[] Merges)> read) =>
        kind is CodegenKind or BpeKind && read() is var (vocabulary, merges)
            ? new TokenizerFiles(kind, vocabulary, merges)
            : throw new DataException($"tokenizer '{kind}' is none of bytes, codegen, bpe. Write one of them.");

    /// <summary>Creates the folder if need be.</summary>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, content) in Contents)
        {
            File.WriteAllBytes(Path.Combine(folder, name), content);
        }
    }

    /// <summary>Writes a vocabulary and merges alone, as other tools read them. The vocabulary comes last: where it is, both are whole.</summary>
    internal static void WriteVocabulary(string folder, byte[] vocabulary, byte[] merges)
    {
        Directory.CreateDirectory(folder);
        Put(MergesName, merges);
        Put(VocabularyName, vocabulary);

        void Put(string name, byte[] content)
        {
            var path = Path.Combine(folder, name);
            using (var stream = File.Create(path + ".tmp"))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            File.Move(path + ".tmp", path, overwrite: true);
        }
    }

    private ITokenizer Create() => Kind == BytesKind ? new ByteTokenizer() : new BpeTokenizer(BpeVocabulary.Parse(_vocabulary, _merges), hasSpaceRuns: Kind == CodegenKind);

    private static Description ReadDescription(string path, byte[] content)
    {
        try
        {
            return JsonSerializer.Deserialize<Description>(content, Json) is { Kind: not null, Digest: not null } description
                ? description
                : throw new DataException($"{path} names no kind and digest. Restore the file.");
        }
        catch (JsonException e)
        {
            throw new DataException($"{path} cannot be read: {e.Message} Restore the file.");
        }
    }

    private static byte[] ReadFile(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"the tokenizer needs {path}, which cannot be read: {e.Message} Put the file there, or name another.");
        }
    }

    private static string Hash(string kind, byte[] vocabulary, byte[] merges) =>
        Convert.ToHexStringLower(SHA256.HashData([.. Encoding.ASCII.GetBytes(kind), .. SHA256.HashData(vocabulary), .. SHA256.HashData(merges)]));

    private sealed record Description(string Kind, int VocabularySize, int EndOfText, string Digest);
}
