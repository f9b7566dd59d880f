using System.Security.Cryptography;
using System.Text.Json;
using Phi.Data.Quality;
using Phi.Data.Shards;

namespace Phi.Data.Preparation;

/// <summary>
/// Prepared data that the processes of one node share: a folder for each combination of inputs, prepared by the first that asks while the
/// others wait. If that one dies, the next goes on where it was.
/// </summary>
public static class DataCache
{
    /// <param name="options">Their output is the cache, which gets a folder of its own for them.</param>
    /// <param name="progress">Of this process's own work; silent while another prepares.</param>
    /// <exception cref="DataException">A source cannot be read.</exception>
    public static async Task<PreparedFolder> OpenAsync(PrepareOptions options, IProgress<PrepareProgress>? progress, CancellationToken cancellationToken)
    {
        using var filter = await QualityFilter.OpenAsync(options.Filter, cancellationToken);
        var digest = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(DataPreparation.Inputs(options, filter), PreparedIndex.Json)));
        var folder = Path.Combine(options.Output, $"v{PreparedIndex.CurrentVersion}-{digest[..16]}");
        await DataPreparation.RunAsync(options with { Output = folder, WaitForOthers = true }, filter, progress, cancellationToken);
        return PreparedFolder.Open(folder);
    }
}
