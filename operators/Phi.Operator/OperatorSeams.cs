using Phi.Operator.Leader;

namespace Phi.Operator;

/// <summary>Where tests reach in; a real operator has none of it set.</summary>
internal sealed record OperatorSeams
{
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Makes a handler that stands between a connection and the API server.</summary>
    public Func<DelegatingHandler>? Handler { get; init; }

    public Func<LeaseOptions, LeaseOptions> Lease { get; init; } = options => options;

    /// <summary>Hears where the health endpoints are.</summary>
    public Action<Uri>? OnHealth { get; init; }

    public DelegatingHandler[] Handlers(params DelegatingHandler[] outer) => Handler is null ? outer : [Handler(), .. outer];
}
