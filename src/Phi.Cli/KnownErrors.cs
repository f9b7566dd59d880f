using Phi.LocalCluster.Nodes;
using Phi.Telemetry.Store;

namespace Phi.Cli;

/// <summary>Errors of the parts that phi runs. Apart, for the assemblies of these parts are loaded where one is named.</summary>
internal static class KnownErrors
{
    public static bool IsUsage(Exception e) => e is NodeException or TelemetryException;
}
