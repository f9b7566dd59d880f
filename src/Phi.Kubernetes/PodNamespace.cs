namespace Phi.Kubernetes;

/// <summary>Where a program of this product keeps what is its own.</summary>
public static class PodNamespace
{
    private const string File = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

    /// <summary>That of the pod which this runs in, else kube-system.</summary>
    /// <param name="kubeconfig">With one, this is no pod's program.</param>
    public static string Own(string? kubeconfig) => kubeconfig is null && System.IO.File.Exists(File) ? System.IO.File.ReadAllText(File).Trim() : "kube-system";
}
