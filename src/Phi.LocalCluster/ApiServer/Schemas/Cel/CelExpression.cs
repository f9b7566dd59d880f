namespace Phi.LocalCluster.ApiServer.Schemas.Cel;

/// <summary>A parsed CEL expression.</summary>
internal abstract record CelExpression
{
    public sealed record Literal(object? Value) : CelExpression;

    public sealed record Identifier(string Name) : CelExpression;

    public sealed record Select(CelExpression Target, string Field) : CelExpression;

    public sealed record Has(Select Field) : CelExpression;

    public sealed record Index(CelExpression Target, CelExpression Key) : CelExpression;

    /// <summary>A function; the target is null for a global one. Operators are functions too, named by their sign.</summary>
    public sealed record Call(CelExpression? Target, string Function, IReadOnlyList<CelExpression> Arguments) : CelExpression;

    public sealed record Conditional(CelExpression If, CelExpression Then, CelExpression Else) : CelExpression;

    public sealed record ListOf(IReadOnlyList<CelExpression> Items) : CelExpression;

    public sealed record MapOf(IReadOnlyList<(CelExpression Key, CelExpression Value)> Entries) : CelExpression;

    /// <summary>The macros all, exists, exists_one, filter and map.</summary>
    public sealed record Comprehension(string Macro, CelExpression Range, string Variable, CelExpression? Filter, CelExpression Body) : CelExpression;
}
