using Phi.Api.TrainingJobs;
using Phi.Cli.Queues;

namespace Phi.Cli.Description;

/// <summary>A job, with what is known of it elsewhere.</summary>
/// <param name="Why">Null: the queues may not be read.</param>
internal sealed record DescribedJob(TrainingJob Job, WhyReport? Why, IReadOnlyList<DescribedEvent> Events);
