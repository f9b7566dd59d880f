namespace Phi.Kubernetes;

/// <summary>How an informer does, whatever it follows.</summary>
public interface IInformer
{
    /// <summary>As the path names it, such as <c>pods</c>.</summary>
    string Resource { get; }

    /// <summary>Completes when the first list is in the cache.</summary>
    Task Synced { get; }

    /// <summary>Times that a watch was lost and taken up again by a new list.</summary>
    long Restarts { get; }

    /// <summary>Its loop has neither asked nor heard anything for longer than any request or watch may take.</summary>
    bool IsStuck { get; }
}
