using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Phi.Api.Manifests;
using Phi.LocalCluster.ApiServer.Protobuf;

namespace Phi.LocalCluster.ApiServer.Http;

/// <summary>Reads and writes bodies.</summary>
internal static class Replies
{
    private const int MaximumBody = 3 * 1024 * 1024;

    public static JsonSerializerOptions Json { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static async Task WriteAsync(HttpContext http, JsonNode value, int code = 200)
    {
        http.Response.StatusCode = code;
        http.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(http.Response.Body, value, Json, http.RequestAborted);
    }

    public static Task WriteAsync(HttpContext http, ApiException error)
    {
        if (error.RetryAfterSeconds is { } seconds)
        {
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        return WriteAsync(http, error.ToStatus(), error.Code);
    }

    public static void Warn(HttpContext http, IEnumerable<string> warnings)
    {
        foreach (var warning in warnings.Distinct())
        {
            http.Response.Headers.Append("Warning", $"299 - \"{warning.Replace("\"", "\\\"", StringComparison.Ordinal)}\"");
        }
    }

    /// <summary>The body as JSON; YAML is taken too. Null if it is empty.</summary>
    public static async Task<JsonNode?> ReadAsync(HttpContext http)
    {
        var type = http.Request.ContentType ?? "";
        if (type.Contains("protobuf", StringComparison.Ordinal))
        {
            using var bytes = new MemoryStream();
            await http.Request.Body.CopyToAsync(bytes, http.RequestAborted);
            return bytes.Length == 0 ? null : ProtobufBody.Parse(bytes.ToArray());
        }

        if (type.Contains("cbor", StringComparison.Ordinal))
        {
            throw new ApiException(415, "UnsupportedMediaType", $"the body of the request was in an unknown format - accepted media types include: application/json, application/yaml (got {type})");
        }

        using var reader = new StreamReader(http.Request.Body);
        var text = await reader.ReadToEndAsync(http.RequestAborted);
        if (text.Length > MaximumBody)
        {
            throw new ApiException(413, "RequestEntityTooLarge", $"Request entity too large: limit is {MaximumBody}");
        }

        try
        {
            return text.Length == 0 ? null : type.Contains("yaml", StringComparison.Ordinal) ? ManifestReader.Read(text) is [var first, ..] ? JsonNode.Parse(first.ToJsonString()) : null : JsonNode.Parse(text);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw ApiException.BadRequest($"the object provided is unrecognized (must be valid JSON or YAML): {e.Message}");
        }
    }

    public static async Task<JsonObject> ReadObjectAsync(HttpContext http) =>
        await ReadAsync(http) as JsonObject ?? throw ApiException.BadRequest("the body must be an object with apiVersion, kind and metadata");
}
