using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Phi.Cli.Cluster;

/// <summary>Written by a running control plane once it is ready; removed when it stops.</summary>
public sealed record ClusterState
{
    public required int ProcessId { get; init; }
    /// <summary>Start of the process, so that a reused process id is not mistaken for it.</summary>
    public required DateTimeOffset ProcessStart { get; init; }
    public required Uri Server { get; init; }
    public required string Token { get; init; }
    public required string DashboardUrl { get; init; }
    public required int Nodes { get; init; }
    public required int Slots { get; init; }

    /// <summary>The state of the control plane that runs on this home; null if none does.</summary>
    public static ClusterState? ReadRunning(PhiHome home)
    {
        var state = Read(home);
        return state is not null && state.IsRunning() ? state : null;
    }

    public bool IsRunning()
    {
        try
        {
            using var process = Process.GetProcessById(ProcessId);
            return Math.Abs((process.StartTime.ToUniversalTime() - ProcessStart.UtcDateTime).TotalSeconds) < 2;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }

    public void Write(PhiHome home)
    {
        var temporary = home.StateFile + ".tmp";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this, ClusterStateJson.Default.ClusterState));
        File.SetUnixFileMode(temporary, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(temporary, home.StateFile, overwrite: true);
    }

    private static ClusterState? Read(PhiHome home)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(home.StateFile), ClusterStateJson.Default.ClusterState);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }
}

/// <summary>Every command reads the state: its form is known when the program is built, and need not be learnt at run time.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ClusterState))]
internal sealed partial class ClusterStateJson : JsonSerializerContext;
