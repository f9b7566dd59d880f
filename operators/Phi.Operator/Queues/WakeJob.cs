using Phi.Kubernetes;

namespace Phi.Operator.Queues;

/// <summary>Says that a job's queue has something new for it.</summary>
/// <param name="isUrgent">Whether quota stands idle, or is held from another job, until it is done.</param>
internal delegate void WakeJob(ResourceKey job, bool isUrgent);
