using System.Text.Json;
using Phi.Api.Metadata;

namespace Phi.Trainer.Progress;

/// <summary>How far a progress file is delivered; kept beside it, so that a sidecar that starts again goes on from there.</summary>
/// <param name="Offset">Bytes from the file's begin.</param>
/// <param name="Line">Lines before the offset.</param>
/// <param name="Mark">The last bytes before the offset: a file that does not have them there is another one.</param>
/// <param name="Step">The last step that was delivered.</param>
/// <param name="Time">When it was read.</param>
internal sealed record ProgressPosition(long Offset, long Line, byte[] Mark, long? Step, DateTimeOffset? Time)
{
    public const int MarkBytes = 64;
    public static readonly ProgressPosition Start = new(0, 0, [], null, null);

    /// <summary>The begin of another file of the same run.</summary>
    public ProgressPosition InOtherFile() => this with { Offset = 0, Line = 0, Mark = [] };

    /// <summary>The start if there is none, or none that can be read: what is delivered again changes nothing.</summary>
    public static ProgressPosition Load(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<ProgressPosition>(File.ReadAllText(path), PhiJson.Options) is { Offset: >= 0, Mark: not null } position ? position : Start;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return Start;
        }
    }

    /// <exception cref="IOException">The volume is full or gone.</exception>
    public void Save(string path)
    {
        var temporary = path + ".tmp";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this, PhiJson.Options));
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Whether it is a position within this file.</summary>
    public bool IsIn(FileStream file)
    {
        var there = new byte[Mark.Length];
        if (file.Length < Offset)
        {
            return false;
        }

        file.Position = Offset - Mark.Length;
        return file.ReadAtLeast(there, there.Length, throwOnEndOfStream: false) == Mark.Length && there.AsSpan().SequenceEqual(Mark);
    }
}
