using System.Globalization;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests.Saving;

/// <summary>
/// A rank as its executable runs it, but that at one point of the save of one step it leaves a file and stands still until another file
/// comes, or until it is killed.
/// </summary>
internal sealed class RankHost(SavePoint point, long step, string folder)
{
    public const string Command = "rank-host";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    /// <summary>There while a rank stands still.</summary>
    public static string Reached(string folder) => Path.Combine(folder, "reached");

    /// <summary>Lets it go on.</summary>
    public static string Released(string folder) => Path.Combine(folder, "released");

    public static Task<int> RunAsync(string point, long step, string folder)
    {
        var host = new RankHost(Enum.Parse<SavePoint>(point), step, folder);
        return RankProgram.RunAsync(new EventWriter(Console.Out, host.OnLine), storage => new SteppedStorage(BlobTarget.FromEnvironment()?.Open() ?? storage, host.OnStorage));
    }

    private void OnLine(string line)
    {
        if (line.StartsWith("{\"event\":\"step\"", StringComparison.Ordinal) && line.Contains(string.Create(CultureInfo.InvariantCulture, $"\"step\":{step},"), StringComparison.Ordinal))
        {
            StandAt(SavePoint.BeforeSnapshot);
        }
    }

    private void OnStorage(StorageMoment moment, string name)
    {
        if (!name.StartsWith(string.Create(CultureInfo.InvariantCulture, $"step-{step:D8}/"), StringComparison.Ordinal))
        {
            return;
        }

        StandAt((moment, Path.GetExtension(name)) switch
        {
            (StorageMoment.WriteBegins, ".safetensors") => SavePoint.BeforeShard,
            (StorageMoment.WriteGoesOn, ".safetensors") => SavePoint.DuringShard,
            (StorageMoment.WriteEnded, ".chunks") => SavePoint.BeforeExchange,
            (StorageMoment.CommitBegins, _) => SavePoint.BeforeCommit,
            (StorageMoment.CommitGoesOn, _) => SavePoint.DuringCommit,
            (StorageMoment.CommitEnded, _) => SavePoint.BeforeRetention,
            _ => SavePoint.None,
        });
    }

    private void StandAt(SavePoint here)
    {
        if (here == SavePoint.None || here != point)
        {
            return;
        }

        File.WriteAllText(Reached(folder), "");
        while (!File.Exists(Released(folder)))
        {
            Thread.Sleep(Look);
        }
    }

    /// <summary>Hands every line on, then says which it was.</summary>
    private sealed class EventWriter(TextWriter inner, Action<string> onLine) : TextWriter
    {
        public override System.Text.Encoding Encoding => inner.Encoding;

        public override void Write(char value) => inner.Write(value);

        public override void WriteLine(string? value)
        {
            inner.WriteLine(value);
            inner.Flush();
            onLine(value!);
        }

        public override void Flush() => inner.Flush();
    }
}
