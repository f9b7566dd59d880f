using System.Collections.Concurrent;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Metadata;
using Phi.Kubernetes;

namespace Phi.Operator.Cron;

/// <summary>Events and log lines of CronTrainingJobs; what was said last is not said again.</summary>
internal sealed partial class CronEvents(KubernetesConnection connection, TimeProvider time, ILogger logger)
{
    private readonly ConcurrentDictionary<string, (string Reason, string Message)> _said = new(StringComparer.Ordinal);

    public async Task RecordAsync(CronTrainingJob cron, bool isWarning, string reason, string message, CancellationToken ct)
    {
        var (@namespace, name, uid) = (cron.Metadata.Namespace!, cron.Metadata.Name!, cron.Metadata.Uid!);
        if (_said.TryGetValue(uid, out var last) && last == (reason, message))
        {
            return;
        }

        _said[uid] = (reason, message);
        LogDecision(logger, @namespace, name, reason, message);
        var now = time.GetUtcNow().UtcDateTime;
        try
        {
            await connection.Events().CreateAsync(@namespace, new Corev1Event
            {
                ApiVersion = "v1",
                Kind = "Event",
                Metadata = new V1ObjectMeta { GenerateName = $"{name}.", NamespaceProperty = @namespace },
                InvolvedObject = new V1ObjectReference { ApiVersion = PhiNames.ApiVersion, Kind = "CronTrainingJob", Name = name, NamespaceProperty = @namespace, Uid = uid },
                Type = isWarning ? "Warning" : "Normal",
                Reason = reason,
                Message = message,
                FirstTimestamp = now,
                LastTimestamp = now,
                Count = 1,
                Source = new V1EventSource { Component = PhiNames.OperatorFieldManager },
                ReportingComponent = PhiNames.OperatorFieldManager,
                ReportingInstance = PhiNames.OperatorFieldManager,
            }, PhiNames.OperatorFieldManager, ct);
        }
        catch (KubernetesApiException e)
        {
            // An event is told, never needed: a namespace that goes away takes none.
            LogLost(logger, @namespace, name, e.Message);
        }
    }

    public void Forget(string uid) => _said.TryRemove(uid, out _);

    [LoggerMessage(1, LogLevel.Information, "{Namespace}/{Cron}: {Reason}: {Message}")]
    private static partial void LogDecision(ILogger logger, string @namespace, string cron, string reason, string message);

    [LoggerMessage(2, LogLevel.Warning, "The event of {Namespace}/{Cron} was not written: {Problem}")]
    private static partial void LogLost(ILogger logger, string @namespace, string cron, string problem);
}
