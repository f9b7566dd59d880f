using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;

namespace Phi.Trainer.Agent.Notices;

/// <summary>
/// A file that a node's own watcher writes, for every cloud without a source of its own: a <see cref="DisruptionNotice"/> as JSON, or
/// anything else, an empty file too, for a machine that goes at any moment. No file, no notice.
/// </summary>
internal sealed class FileNotices(string path) : INoticeSource
{
    public async Task<DisruptionNotice?> LookAsync(CancellationToken ct)
    {
        string text;
        try
        {
            text = await File.ReadAllTextAsync(path, ct);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<DisruptionNotice>(text, PhiJson.Options) is { Kind.Length: > 0 } notice ? notice with { Source = notice.Source ?? "file" } : new DisruptionNotice("file", "Terminate", null);
        }
        catch (JsonException)
        {
            return new DisruptionNotice("file", "Terminate", null);
        }
    }
}
