using System.Security.Cryptography;
using System.Text.Json;
using Phi.Api.Metadata;

namespace Phi.Cli.Cluster;

/// <summary>What a restart keeps: tokens, ports, the size of the cluster, and where its telemetry is.</summary>
public sealed record ClusterSettings
{
    public string Token { get; init; } = RandomNumberGenerator.GetHexString(48, lowercase: true);
    public string DashboardToken { get; init; } = RandomNumberGenerator.GetHexString(32, lowercase: true);
    public int ApiPort { get; init; }
    public int DashboardPort { get; init; }
    public int Nodes { get; init; } = 2;
    public int Slots { get; init; } = 4;

    /// <summary>Null: <see cref="PhiHome.TelemetryDatabase"/>.</summary>
    public string? Telemetry { get; init; }

    public static ClusterSettings ReadOrCreate(PhiHome home) =>
        File.Exists(home.SettingsFile)
            ? JsonSerializer.Deserialize<ClusterSettings>(File.ReadAllText(home.SettingsFile), PhiJson.Options) ?? new ClusterSettings()
            : new ClusterSettings();

    public void Write(PhiHome home)
    {
        var temporary = home.SettingsFile + ".tmp";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this, PhiJson.Options));
        File.SetUnixFileMode(temporary, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(temporary, home.SettingsFile, overwrite: true);
    }
}
