namespace Phi.Data.Quality;

/// <summary>A rule by the name of its option, and what it asks for.</summary>
internal sealed record FilterRule(string Name, string Setting);
