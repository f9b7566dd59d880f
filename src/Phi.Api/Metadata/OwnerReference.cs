namespace Phi.Api.Metadata;

/// <summary>An object that this one belongs to, and with which it is deleted (metav1.OwnerReference).</summary>
public sealed class OwnerReference
{
    public string ApiVersion { get; set; } = "";
    public string Kind { get; set; } = "";
    public string Name { get; set; } = "";
    public string Uid { get; set; } = "";
    /// <summary>The one owner that manages the object.</summary>
    public bool? Controller { get; set; }
    public bool? BlockOwnerDeletion { get; set; }
}
