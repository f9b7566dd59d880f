namespace Phi.Cli.Output;

/// <summary>One column of a listing.</summary>
/// <param name="IsWide">Shown by <c>-o wide</c> alone.</param>
internal sealed record Column<T>(string Header, Func<T, string> Cell, bool IsWide = false);
