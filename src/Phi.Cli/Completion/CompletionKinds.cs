using System.CommandLine;
using System.Runtime.CompilerServices;

namespace Phi.Cli.Completion;

/// <summary>Notes on a command line's symbols what completes them.</summary>
internal static class CompletionKinds
{
    private static readonly ConditionalWeakTable<Symbol, StrongBox<CompletionKind>> Kinds = [];

    public static void CompletesWith(this Symbol symbol, CompletionKind kind) => Kinds.AddOrUpdate(symbol, new StrongBox<CompletionKind>(kind));

    public static T Completing<T>(this T symbol, CompletionKind kind)
        where T : Symbol
    {
        symbol.CompletesWith(kind);
        return symbol;
    }

    public static CompletionKind Of(Symbol symbol) => Kinds.TryGetValue(symbol, out var kind) ? kind.Value : CompletionKind.None;
}
