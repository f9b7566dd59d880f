using System.CommandLine;
using System.Globalization;
using Phi.Telemetry.Store;

namespace Phi.Cli.Commands;

/// <summary>Options that several commands share.</summary>
internal static class CommonOptions
{
    public const string TelemetryVariable = "PHI_TELEMETRY";

    public static Option<string?> Home() => new("--home") { Description = "Folder of the local control plane. Default: $PHI_HOME, else ~/.phi." };

    public static Option<string> Kubeconfig() => new("--kubeconfig") { Description = "Kubeconfig of the cluster to join.", Required = true };

    public static Option<string?> ClusterKubeconfig() => new("--kubeconfig") { Description = "Kubeconfig of the cluster. Default: that of the local control plane." };

    /// <summary>A password has no place on a command line, which anybody on the machine can read.</summary>
    public static Option<string> Telemetry() => new("--telemetry")
    {
        Description = "Telemetry store: a SQLite file, or PostgreSQL as postgresql://USER@HOST/DATABASE (the password from PGPASSWORD). Default: $PHI_TELEMETRY.",
        Required = Environment.GetEnvironmentVariable(TelemetryVariable) is null,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(TelemetryVariable) ?? "",
    };

    public static Option<string[]> WatchNamespaces(string description) => new("--watch-namespace") { Description = description, AllowMultipleArgumentsPerToken = false };

    public static Option<FileInfo?> AuditLog() => new("--audit-log")
    {
        Description = "File to which the API server adds a line of every request: who, what, and how it was answered (audit.k8s.io/v1, without bodies). Default: none.",
    };

    /// <summary>Of a whole local cluster; the path of a file is absolute afterwards, for whoever starts the cluster next is in another folder.</summary>
    public static Option<string?> ClusterTelemetry() => new("--telemetry")
    {
        Description = "Telemetry store: a SQLite file, or PostgreSQL as postgresql://USER@HOST/DATABASE (the password from PGPASSWORD). Default: telemetry.db in the folder. Kept over restarts.",
        CustomParser = result =>
        {
            try
            {
                var given = result.Tokens[0].Value;
                return TelemetryStore.IsFile(given) ? Path.GetFullPath(given) : given;
            }
            catch (TelemetryException e)
            {
                result.AddError(e.Message);
                return null;
            }
        },
    };

    public static Option<bool> StopWithParent() => new("--stop-with-parent") { Description = "Stop when standard input closes.", Hidden = true };

    public static Option<int?> Nodes() => PositiveCount("--nodes", "Nodes of a new local cluster. Default 2.");

    public static Option<int?> Slots() => PositiveCount("--slots", "CPU slots (ranks) of each node. Default 4.");

    private static Option<int?> PositiveCount(string name, string description)
    {
        var option = new Option<int?>(name) { Description = description };
        option.Validators.Add(result =>
        {
            // Text that is no number has its own error; reading the value would throw here.
            if (result.Tokens is [var given] && int.TryParse(given.Value, CultureInfo.InvariantCulture, out var count) && count is < 1 or > 256)
            {
                result.AddError($"{name} is {given.Value}; it must be from 1 to 256.");
            }
        });
        return option;
    }
}
