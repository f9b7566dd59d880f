using System.Collections.Concurrent;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;

namespace Phi.Operator.Execute;

/// <summary>Writes a Kubernetes event, and a line of the log, when what there is to say about a job has changed.</summary>
internal sealed partial class EventRecorder(KubernetesConnection connection, TimeProvider time, ILogger logger)
{
    private readonly ConcurrentDictionary<string, (string Reason, string Message)> _said = new(StringComparer.Ordinal);

    public async Task RecordAsync(TrainingJob job, bool isWarning, string reason, string message, CancellationToken ct)
    {
        if (_said.TryGetValue(job.Metadata.Uid!, out var last) && last == (reason, message))
        {
            return;
        }

        _said[job.Metadata.Uid!] = (reason, message);
        LogDecision(logger, job.Metadata.Namespace!, job.Metadata.Name!, reason, message);
        var now = time.GetUtcNow().UtcDateTime;
        try
        {
            await connection.Events().CreateAsync(job.Metadata.Namespace!, new Corev1Event
            {
                ApiVersion = "v1",
                Kind = "Event",
                Metadata = new V1ObjectMeta { GenerateName = $"{job.Metadata.Name}.", NamespaceProperty = job.Metadata.Namespace },
                InvolvedObject = new V1ObjectReference
                {
                    ApiVersion = PhiNames.ApiVersion,
                    Kind = "TrainingJob",
                    Name = job.Metadata.Name,
                    NamespaceProperty = job.Metadata.Namespace,
                    Uid = job.Metadata.Uid,
                },
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
            LogLost(logger, job.Metadata.Namespace!, job.Metadata.Name!, e.Message);
        }
    }

    public void Forget(string jobUid) => _said.TryRemove(jobUid, out _);

    [LoggerMessage(1, LogLevel.Information, "{Namespace}/{Job}: {Reason}: {Message}")]
    private static partial void LogDecision(ILogger logger, string @namespace, string job, string reason, string message);

    [LoggerMessage(2, LogLevel.Warning, "The event of {Namespace}/{Job} was not written: {Problem}")]
    private static partial void LogLost(ILogger logger, string @namespace, string job, string problem);
}
