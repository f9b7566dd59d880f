using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Phi.Api.Metadata;
using Phi.Kubernetes;

namespace Phi.Operator.Events;

/// <summary>Writes core/v1 events; what was said within the last ten minutes raises the count of its event (client-go, tools/record).</summary>
internal sealed class EventWriter(KubernetesConnection connection, string instance)
{
    private const int MostRemembered = 4096;
    private static readonly TimeSpan RepeatWindow = TimeSpan.FromMinutes(10);
    private readonly Dictionary<(string Uid, bool IsWarning, string Reason, string Message), Written> _written = [];
    private long _lastTick;

    /// <summary>Null while nothing was tried: the name under which the event is, or will be, stored.</summary>
    private (PendingEvent Event, string Name)? _tried;

    /// <exception cref="KubernetesApiException">The server refused.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached.</exception>
    public async Task WriteAsync(PendingEvent value, CancellationToken ct)
    {
        var key = (value.Subject.Uid, value.IsWarning, value.Reason, value.Message);
        if (_written.TryGetValue(key, out var last) && value.Time - last.Time < RepeatWindow && await RepeatAsync(value, last, ct))
        {
            _written[key] = last with { Count = last.Count + 1, Time = value.Time };
            return;
        }

        // A second try keeps the name of the first, so that an answer that was lost makes no second event.
        var name = _tried is { } tried && ReferenceEquals(tried.Event, value) ? tried.Name : NewName(value);
        _tried = (value, name);
        try
        {
            await connection.Events().CreateAsync(value.Subject.EventNamespace, Build(value, name), PhiNames.OperatorFieldManager, ct);
        }
        catch (KubernetesApiException e) when (e.Reason == "AlreadyExists")
        {
            // The first try arrived.
        }

        Forget(value.Time);
        _written[key] = new Written(name, 1, value.Time);
    }

    /// <summary>False if the event of before is gone.</summary>
    private async Task<bool> RepeatAsync(PendingEvent value, Written last, CancellationToken ct)
    {
        var patch = new JsonObject { ["count"] = last.Count + 1, ["lastTimestamp"] = value.Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) };
        try
        {
            await connection.Events().MergePatchAsync(value.Subject.EventNamespace, last.Name, patch, PhiNames.OperatorFieldManager, null, ct);
            return true;
        }
        catch (KubernetesApiException e) when (e.IsNotFound)
        {
            return false;
        }
    }

    private void Forget(DateTimeOffset now)
    {
        if (_written.Count >= MostRemembered)
        {
            foreach (var old in _written.Where(entry => now - entry.Value.Time >= RepeatWindow).Select(entry => entry.Key).ToList())
            {
                _written.Remove(old);
            }
        }
    }

    private string NewName(PendingEvent value)
    {
        const int MostCharacters = 253 - 17;
        _lastTick = Math.Max(_lastTick + 1, value.Time.UtcTicks);
        var name = value.Subject.Name;
        return string.Create(CultureInfo.InvariantCulture, $"{(name.Length > MostCharacters ? name[..MostCharacters].TrimEnd('.', '-') : name)}.{_lastTick:x16}");
    }

    private Corev1Event Build(PendingEvent value, string name) => new()
    {
        ApiVersion = "v1",
        Kind = "Event",
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = value.Subject.EventNamespace },
        InvolvedObject = new V1ObjectReference
        {
            ApiVersion = value.Subject.ApiVersion,
            Kind = value.Subject.Kind,
            Name = value.Subject.Name,
            NamespaceProperty = value.Subject.Namespace.Length == 0 ? null : value.Subject.Namespace,
            Uid = value.Subject.Uid,
        },
        Type = value.IsWarning ? "Warning" : "Normal",
        Reason = value.Reason,
        Message = value.Message,
        FirstTimestamp = value.Time.UtcDateTime,
        LastTimestamp = value.Time.UtcDateTime,
        Count = 1,
        Source = new V1EventSource { Component = PhiNames.OperatorFieldManager },
        ReportingComponent = PhiNames.OperatorFieldManager,
        ReportingInstance = instance,
    };

    private sealed record Written(string Name, int Count, DateTimeOffset Time);
}
