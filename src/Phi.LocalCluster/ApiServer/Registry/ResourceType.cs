using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Printing;
using Phi.LocalCluster.ApiServer.Schemas;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>One served version of a resource.</summary>
internal sealed record ResourceType
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Group { get; init; } = "";
    public required string Version { get; init; }
    public required string Plural { get; init; }
    public required string Singular { get; init; }
    public required string Kind { get; init; }
    public bool Namespaced { get; init; } = true;
    public IReadOnlyList<string> ShortNames { get; init; } = [];
    public IReadOnlyList<string> Categories { get; init; } = [];
    public bool HasStatus { get; init; }
    /// <summary>A question that is answered and never stored, such as a SubjectAccessReview: it can only be created.</summary>
    public bool IsReview { get; init; }
    /// <summary>Whether a change outside metadata and status raises metadata.generation.</summary>
    public bool HasGeneration { get; init; }
    /// <summary>Defined by a CustomResourceDefinition; patched by merge, not by strategic merge.</summary>
    public bool IsCustom { get; init; }
    public required Schema Schema { get; init; }
    /// <summary>The schema as OpenAPI publishes it.</summary>
    public required JsonObject OpenApi { get; init; }
    public required IReadOnlyList<PrinterColumn> Columns { get; init; }

    /// <summary>Done when its definition has changed or gone.</summary>
    public Task Ended => _ended.Task;

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Plural and group, as messages name it.</summary>
    public string Resource => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    /// <summary>Where the store keeps it: the same for every version.</summary>
    public string Storage => this is { Group: "events.k8s.io" } ? "events" : Resource;

    public JsonObject GroupVersionKind => new() { ["group"] = Group, ["kind"] = Kind, ["version"] = Version };

    public void End() => _ended.TrySetResult();
}
