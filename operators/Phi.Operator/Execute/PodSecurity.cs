using System.Text.Json.Nodes;
using Phi.Api.TrainingJobs;

namespace Phi.Operator.Execute;

/// <summary>
/// What the pods of a gang may do on their node: no more than the restricted Pod Security Standard allows (kubernetes.io, "Pod Security
/// Standards"), unless the job's template says otherwise. The image of a container job is somebody else's and may know no user but root,
/// so that its pods alone do not ask for another one.
/// </summary>
internal static class PodSecurity
{
    /// <summary>The security context of the pod.</summary>
    public static JsonObject Pod(TrainingJobSpec spec)
    {
        var own = new JsonObject { ["seccompProfile"] = new JsonObject { ["type"] = "RuntimeDefault" } };
        if (spec.Container is null)
        {
            own["runAsNonRoot"] = true;
        }

        return Over(own, spec.Template?.PodSecurityContext);
    }

    /// <summary>The security context of the container that trains.</summary>
    public static JsonObject Trainer(TrainingJobSpec spec) => Over(Container(), spec.Template?.SecurityContext);

    /// <summary>The security context of a sidecar, whose image is this product's own, whatever the pod's says.</summary>
    public static JsonObject Sidecar() => Over(Container(), new JsonObject { ["runAsNonRoot"] = true });

    private static JsonObject Container() => new()
    {
        ["allowPrivilegeEscalation"] = false,
        ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL") },
    };

    /// <summary>Each field that is given replaces the one of that name.</summary>
    private static JsonObject Over(JsonObject own, JsonObject? given)
    {
        foreach (var (field, value) in given ?? [])
        {
            own[field] = value?.DeepClone();
        }

        return own;
    }
}
