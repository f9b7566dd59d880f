using Phi.Api.Metadata;

namespace Phi.Api.TrainingJobs;

/// <summary>A gang of pods whose ranks train one model. Namespaced; short name <c>tj</c>.</summary>
public sealed class TrainingJob
{
    public string ApiVersion { get; set; } = PhiNames.ApiVersion;
    public string Kind { get; set; } = "TrainingJob";
    public ObjectMeta Metadata { get; set; } = new();
    public TrainingJobSpec Spec { get; set; } = new();
    public TrainingJobStatus? Status { get; set; }
}
