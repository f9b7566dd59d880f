using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Phi.LocalCluster.ApiServer.Authorization;

namespace Phi.LocalCluster.ApiServer.Audit;

/// <summary>
/// Who asked for what, and what was answered: a line of JSON a request (kubernetes.io, "Auditing"; audit.k8s.io/v1 Event of the level
/// Metadata, which holds neither bodies nor tokens). A watch has a line when it begins, and like everything else one when it is over.
/// Each line is in the file before the answer ends, so that a server that is killed has told all.
/// </summary>
internal sealed class AuditLog : IDisposable
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly FileStream _file;

    public AuditLog(string path, TimeProvider time)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        _time = time;
        _file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
    }

    public void Began(HttpContext http, AccessAttributes wanted) => Write(http, wanted, "ResponseStarted");

    /// <param name="wanted">Null: the request was refused before it was known whose it is.</param>
    public void Ended(HttpContext http, AccessAttributes? wanted) => Write(http, wanted, "ResponseComplete");

    public void Dispose() => _file.Dispose();

    private void Write(HttpContext http, AccessAttributes? wanted, string stage)
    {
        var line = Encoding.UTF8.GetBytes(Event(http, wanted, stage).ToJsonString() + "\n");
        lock (_lock)
        {
            _file.Write(line);
        }
    }

    private JsonObject Event(HttpContext http, AccessAttributes? wanted, string stage)
    {
        var told = new JsonObject
        {
            ["kind"] = "Event",
            ["apiVersion"] = "audit.k8s.io/v1",
            ["level"] = "Metadata",
            ["auditID"] = http.TraceIdentifier,
            ["stage"] = stage,
            ["requestURI"] = $"{http.Request.Path}{http.Request.QueryString}",
            ["verb"] = wanted?.Verb ?? http.Request.Method.ToLowerInvariant(),
            ["userAgent"] = (string?)http.Request.Headers.UserAgent,
            ["responseStatus"] = new JsonObject { ["code"] = http.Response.StatusCode },
            ["stageTimestamp"] = _time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture),
        };
        if (wanted is null)
        {
            return told;
        }

        told["user"] = wanted.User.ToJson();
        if (wanted.Path is null)
        {
            told["objectRef"] = Reference(wanted);
        }

        return told;
    }

    /// <summary>Fields that are empty are left out, as Kubernetes does.</summary>
    private static JsonObject Reference(AccessAttributes wanted) => new(
        new[] { ("resource", wanted.Resource), ("namespace", wanted.Namespace), ("name", wanted.Name), ("apiGroup", wanted.Group), ("subresource", wanted.Subresource) }
            .Where(field => field.Item2.Length > 0).Select(field => KeyValuePair.Create(field.Item1, (JsonNode?)field.Item2)));
}
