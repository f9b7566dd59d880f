using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Phi.Data.Shards;

namespace Phi.Data.Preparation;

/// <summary>
/// Writes the tokens of one side into shards of equal length. A shard gets its name when it is whole and on the disk, then a line in the
/// journal. Tokens of shards that an earlier run finished are passed over.
/// </summary>
internal sealed class ShardWriter : IDisposable
{
    private readonly string _folder;
    private readonly bool _isHeldOut;
    private readonly int _width;
    private readonly long _shardTokens;
    private readonly PrepareJournal _journal;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _buffer = new byte[1 << 16];
    private Dictionary<string, long> _languages = new(StringComparer.Ordinal);
    /// <summary>Tokens of the shard that are not in the dictionary yet: consecutive documents mostly have one language.</summary>
    private (string Language, long Tokens) _run = ("", 0);
    private FileStream? _file;
    private long _inShard;
    private int _buffered;
    private TokenPlace _place;

    public ShardWriter(string folder, bool isHeldOut, int bits, long shardTokens, PrepareJournal journal)
    {
        (_folder, _isHeldOut, _width, _shardTokens, _journal) = (folder, isHeldOut, bits / 8, shardTokens, journal);
        foreach (var finished in journal.Shards.Where(shard => shard.IsHeldOut == isHeldOut))
        {
            Shards.Add(finished.Shard);
            Start = finished.Next;
            Tokens += finished.Shard.Tokens;
        }
    }

    /// <summary>The first token that is not in a finished shard of an earlier run.</summary>
    public TokenPlace Start { get; }

    public List<ShardIndex> Shards { get; } = [];

    /// <summary>Written, those of earlier runs included.</summary>
    public long Tokens { get; private set; }

    /// <summary>Tokens of a document in their order; documents must come in theirs.</summary>
    public void Append(long document, string language, ReadOnlySpan<int> tokens)
    {
        if (document != _place.Document)
        {
            _place = new TokenPlace(document, 0);
        }

        if (document < Start.Document)
        {
            return;
        }

        var passed = document == Start.Document ? (int)Math.Clamp(Start.Token - _place.Token, 0, tokens.Length) : 0;
        _place = _place with { Token = _place.Token + passed };
        tokens = tokens[passed..];
        while (!tokens.IsEmpty)
        {
            var count = (int)Math.Min(tokens.Length, _shardTokens - _inShard);
            Write(tokens[..count]);
            Count(language, count);
            tokens = tokens[count..];
            if (_inShard == _shardTokens)
            {
                Finish(_place);
            }
        }
    }

    /// <summary>Ends the last shard.</summary>
    /// <param name="documents">All there are.</param>
    public void Complete(long documents)
    {
        if (_inShard > 0)
        {
            Finish(new TokenPlace(documents, 0));
        }
    }

    /// <summary>A shard that is not whole stays behind under its temporary name; the next run removes it.</summary>
    public void Dispose()
    {
        _file?.Dispose();
        _hash.Dispose();
    }

    private string Name => string.Create(CultureInfo.InvariantCulture, $"{(_isHeldOut ? "held-out" : "training")}-{Shards.Count:D5}.tokens");

    private void Write(ReadOnlySpan<int> tokens)
    {
        _file ??= new FileStream(Path.Combine(_folder, Name + ".tmp"), FileMode.Create, FileAccess.Write, FileShare.Read, 0);
        foreach (var token in tokens)
        {
            var into = _buffer.AsSpan(_buffered, _width);
            if (_width == sizeof(ushort))
            {
                BinaryPrimitives.WriteUInt16LittleEndian(into, checked((ushort)token));
            }
            else
            {
                BinaryPrimitives.WriteInt32LittleEndian(into, token);
            }

            _buffered += _width;
            if (_buffered == _buffer.Length)
            {
                FlushBuffer();
            }
        }

        _inShard += tokens.Length;
        Tokens += tokens.Length;
        _place = _place with { Token = _place.Token + tokens.Length };
    }

    private void Count(string language, long tokens)
    {
        if (language != _run.Language)
        {
            EndRun();
            _run = (language, 0);
        }

        _run.Tokens += tokens;
    }

    private void EndRun()
    {
        if (_run.Tokens > 0)
        {
            _languages[_run.Language] = _languages.GetValueOrDefault(_run.Language) + _run.Tokens;
            _run.Tokens = 0;
        }
    }

    private void FlushBuffer()
    {
        _file!.Write(_buffer, 0, _buffered);
        _hash.AppendData(_buffer, 0, _buffered);
        _buffered = 0;
    }

    private void Finish(TokenPlace next)
    {
        FlushBuffer();
        _file!.Flush(flushToDisk: true);
        _file.Dispose();
        _file = null;
        var path = Path.Combine(_folder, Name);
        File.Move(path + ".tmp", path, overwrite: true);
        EndRun();
        var shard = new ShardIndex(Name, _inShard, _inShard * _width, Convert.ToHexStringLower(_hash.GetHashAndReset()));
        _journal.Add(new FinishedShard(_isHeldOut, shard, next, _languages));
        Shards.Add(shard);
        (_inShard, _languages) = (0, new Dictionary<string, long>(StringComparer.Ordinal));
    }
}
