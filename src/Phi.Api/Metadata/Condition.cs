namespace Phi.Api.Metadata;

/// <summary>A Kubernetes condition (metav1.Condition). Written by the operator; status is True, False or Unknown.</summary>
public sealed class Condition
{
    public string Type { get; set; } = "";
    public string Status { get; set; } = "Unknown";
    public string Reason { get; set; } = "";
    public string Message { get; set; } = "";
    public DateTimeOffset? LastTransitionTime { get; set; }
    public long? ObservedGeneration { get; set; }
}
