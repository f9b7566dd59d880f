using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Queues;
using Phi.Reconcile.Queues;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Tests.Queues;

/// <summary>Who holds how much, by the statuses of jobs.</summary>
public sealed class QueueBookTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private int _version;

    [Fact]
    public void Observe_ElasticJobThatIsSmallerThanItsGrant_HoldsAllThatItMayGrowTo()
    {
        var book = new QueueBook();
        var queue = new QueuePolicy { Name = "research", Quotas = [new TypeQuota("cpu", 4, null, null)] };
        Observe(book, "elastic", 4, held: null);
        book.Decide([queue], Now, (_, _) => { });
        Observe(book, "elastic", 4, held: 4);
        Observe(book, "elastic", 4, held: 2);

        Observe(book, "other", 1, held: null);
        book.Decide([queue], Now, (_, _) => { });

        Assert.Equal((AdmissionState.Granted, 4), (Admission(book, "elastic").State, Admission(book, "elastic").Replicas));
        Assert.Equal(AdmissionState.Waiting, Admission(book, "other").State);
    }

    private void Observe(QueueBook book, string name, int replicas, int? held) => book.Observe(new ResourceKey("default", name), Job(name, replicas, held));

    private QueueAdmission Admission(QueueBook book, string name) => book.Admission(Job(name, 1, null))!;

    private TrainingJob Job(string name, int replicas, int? held) => new()
    {
        Metadata = new ObjectMeta { Namespace = "default", Name = name, Uid = name, ResourceVersion = $"{++_version}", CreationTimestamp = Now },
        Spec = new TrainingJobSpec { Queue = "research", Replicas = replicas, MinReplicas = 1, Accelerator = new AcceleratorSpec { Type = "cpu", PerReplica = 1 } },
        Status = held is null ? null : new TrainingJobStatus
        {
            Phase = TrainingPhase.Pending,
            Replicas = held,
            Conditions = [new Condition { Type = TrainingConditions.QuotaReserved, Status = "True", Message = "granted", LastTransitionTime = Now }],
        },
    };
}
