using System.Globalization;

namespace Phi.Trainer.Replicas;

/// <summary>Between the agents of a gang, with the attempt's key (<see cref="Phi.Api.Agent.Assignment.PeerKey"/>) as bearer: what a pod's memory holds, and its files by ranges of their bytes.</summary>
internal static class ReplicaRoutes
{
    /// <summary>GET: the <see cref="ReplicaPart"/>s that are there, as a JSON array.</summary>
    public const string Parts = "/v1/replicas";

    /// <summary>GET with Range: bytes of a file. PUT: puts one there, whole or not at all, unless a newer attempt than <see cref="Attempt"/> runs here.</summary>
    public const string File = Parts + "/{step}/{file}";

    public const string Attempt = "attempt";

    public static string Of(string name, int? attempt = null) => $"{Parts}/{name}{(attempt is { } number ? $"?{Attempt}={number.ToString(CultureInfo.InvariantCulture)}" : "")}";
}
