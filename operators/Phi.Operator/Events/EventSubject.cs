using Phi.Api.CronTrainingJobs;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Api.TrainingQueues;

namespace Phi.Operator.Events;

/// <summary>The object that an event is about.</summary>
/// <param name="Namespace">Empty for a cluster-scoped object; its events are in the namespace <c>default</c>, as everywhere in Kubernetes.</param>
internal sealed record EventSubject(string ApiVersion, string Kind, string Namespace, string Name, string Uid)
{
    public string EventNamespace => Namespace.Length == 0 ? "default" : Namespace;

    public static EventSubject Of(TrainingJob job) => Of("TrainingJob", job.Metadata);

    public static EventSubject Of(TrainingQueue queue) => Of("TrainingQueue", queue.Metadata);

    public static EventSubject Of(CronTrainingJob cron) => Of("CronTrainingJob", cron.Metadata);

    public override string ToString() => Namespace.Length == 0 ? $"{Kind} {Name}" : $"{Kind} {Namespace}/{Name}";

    private static EventSubject Of(string kind, ObjectMeta metadata) => new(PhiNames.ApiVersion, kind, metadata.Namespace ?? "", metadata.Name!, metadata.Uid!);
}
