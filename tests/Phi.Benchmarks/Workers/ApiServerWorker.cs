using System.Security.Cryptography;
using Phi.Api.Crds;
using Phi.LocalCluster.ApiServer;

namespace Phi.Benchmarks.Workers;

/// <summary>The embedded API server alone, until standard input closes.</summary>
internal static class ApiServerWorker
{
    public const string Ready = "ready";

    public static string Kubeconfig(string folder) => Path.Combine(folder, "kubeconfig");

    public static async Task<int> RunAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        await using var host = await ApiServerHost.StartAsync(
            new ApiServerOptions { DataDirectory = Path.Combine(folder, "data"), AdminToken = RandomNumberGenerator.GetHexString(32), KubeconfigPath = Kubeconfig(folder), CrdManifests = CrdCatalog.All },
            CancellationToken.None);
        Console.WriteLine(Ready);
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
