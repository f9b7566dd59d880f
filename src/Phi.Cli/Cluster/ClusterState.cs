using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

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
        var state = new JsonObject
        {
            ["processId"] = ProcessId,
            ["processStart"] = ProcessStart,
            ["server"] = Server.ToString(),
            ["token"] = Token,
            ["dashboardUrl"] = DashboardUrl,
            ["nodes"] = Nodes,
            ["slots"] = Slots,
        };
        File.WriteAllText(temporary, state.ToJsonString());
        File.SetUnixFileMode(temporary, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(temporary, home.StateFile, overwrite: true);
    }

    /// <summary>Field by field: every command reads it, and what a serializer learns of a type takes longer than this.</summary>
    private static ClusterState? Read(PhiHome home)
    {
        try
        {
            using var read = JsonDocument.Parse(File.ReadAllBytes(home.StateFile));
            var state = read.RootElement;
            return new ClusterState
            {
                ProcessId = state.GetProperty("processId").GetInt32(),
                ProcessStart = state.GetProperty("processStart").GetDateTimeOffset(),
                Server = new Uri(state.GetProperty("server").GetString()!),
                Token = state.GetProperty("token").GetString()!,
                DashboardUrl = state.GetProperty("dashboardUrl").GetString()!,
                Nodes = state.GetProperty("nodes").GetInt32(),
                Slots = state.GetProperty("slots").GetInt32(),
            };
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
