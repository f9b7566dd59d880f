using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Phi.Api.Metadata;
using Phi.Api.TrainingQueues;
using Phi.Kubernetes;
using Phi.Reconcile.Queues;

namespace Phi.Operator.Queues;

/// <summary>Writes the status of each queue whose status has changed.</summary>
internal sealed partial class QueueStatusWriter(KubernetesConnection connection, TimeProvider time, ILogger logger)
{
    private const string Active = "Active";
    private readonly Dictionary<string, string> _written = new(StringComparer.Ordinal);

    /// <summary>Another leader may have written since: everything is written again.</summary>
    public void Restart() => _written.Clear();

    /// <summary>False: one could not be written and is to be tried again.</summary>
    public async Task<bool> WriteAsync(IEnumerable<TrainingQueue> queues, QueueDecision decision, int described, CancellationToken ct)
    {
        var isDone = true;
        foreach (var queue in queues)
        {
            var (name, status) = (queue.Metadata.Name!, JsonSerializer.SerializeToNode(Describe(queue, decision, described), PhiJson.Options)!);
            var text = $"{queue.Metadata.Uid} {status.ToJsonString()}";
            if (_written.GetValueOrDefault(name) == text)
            {
                continue;
            }

            try
            {
                await connection.TrainingQueues().ApplyAsync("", name, new JsonObject
                {
                    ["apiVersion"] = PhiNames.ApiVersion,
                    ["kind"] = "TrainingQueue",
                    ["metadata"] = new JsonObject { ["name"] = name, ["uid"] = queue.Metadata.Uid },
                    ["status"] = JsonNode.Parse(status.ToJsonString()),
                }, PhiNames.OperatorFieldManager, "status", ct);
                _written[name] = text;
            }
            catch (KubernetesApiException e) when (e.IsNotFound)
            {
                // Deleted meanwhile: the watch tells.
                _written.Remove(name);
            }
            catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException)
            {
                isDone = false;
                LogNotWritten(logger, name, e.Message);
            }
        }

        return isDone;
    }

    private TrainingQueueStatus Describe(TrainingQueue queue, QueueDecision decision, int described)
    {
        var name = queue.Metadata.Name!;
        return new TrainingQueueStatus
        {
            ObservedGeneration = queue.Metadata.Generation,
            Conditions = [Condition(queue, QueueReader.Queue(queue).Problem)],
            Usage = [.. decision.Usage.Where(usage => usage.Queue == name).Select(usage => new QueueUsageStatus
            {
                AcceleratorType = usage.AcceleratorType,
                Used = Whole(usage.Used),
                Borrowed = Whole(usage.Borrowed),
                Lent = Whole(usage.Lent),
                Nominal = Whole(usage.Nominal),
                Reserved = Whole(usage.Reserved),
            })],
            PendingJobs = decision.PendingJobs(name),
            AdmittedJobs = decision.AdmittedJobs(name),
            Pending = [.. decision.Waiting(name).Take(described).Select(verdict => new PendingJobStatus
            {
                Job = verdict.Job.Key,
                Position = verdict.Position,
                Priority = verdict.Job.Priority,
                Accelerators = Whole((long)verdict.Job.Replicas * verdict.Job.PerReplica),
                Reason = verdict.Reason,
                Message = verdict.Message,
                WaitsFor = verdict.WaitsFor,
            })],
        };

        static int Whole(long value) => (int)Math.Min(int.MaxValue, value);
    }

    private Condition Condition(TrainingQueue queue, string? problem)
    {
        var status = problem is null ? "True" : "False";
        var old = queue.Status?.Conditions?.Find(condition => condition.Type == Active);
        return new Condition
        {
            Type = Active,
            Status = status,
            Reason = problem is null ? "Ready" : "InvalidSpec",
            Message = problem ?? "the queue admits jobs",
            LastTransitionTime = old?.Status == status ? old.LastTransitionTime : DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds()),
            ObservedGeneration = queue.Metadata.Generation,
        };
    }

    [LoggerMessage(1, LogLevel.Warning, "The status of queue {Queue} was not written and is tried again: {Problem}")]
    private static partial void LogNotWritten(ILogger logger, string queue, string problem);
}
