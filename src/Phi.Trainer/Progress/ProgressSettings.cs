using System.Globalization;
using Phi.Api.Metadata;
using Phi.Trainer.Agent;

namespace Phi.Trainer.Progress;

/// <summary>What a pod's environment tells the sidecar.</summary>
internal sealed record ProgressSettings(AgentSettings Pod, int Attempt, string File)
{
    /// <exception cref="ArgumentException">Names a variable that is missing or wrong.</exception>
    public static ProgressSettings Read(Func<string, string?> get)
    {
        var pod = AgentSettings.Read(get);
        if (!int.TryParse(get(PhiEnvironment.Attempt), NumberStyles.None, CultureInfo.InvariantCulture, out var attempt))
        {
            throw Wrong(PhiEnvironment.Attempt, "a number");
        }

        return get(PhiEnvironment.ProgressFile) is { } file && Path.IsPathRooted(file) ? new ProgressSettings(pod, attempt, file) : throw Wrong(PhiEnvironment.ProgressFile, "an absolute path");

        ArgumentException Wrong(string name, string rule) =>
            new($"{name} is '{get(name)}' and must be {rule}. The operator sets it in the sidecar of a container job's pods.");
    }
}
