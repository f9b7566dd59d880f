namespace Phi.Dashboard.Api;

/// <summary>What may stand in a path of the Kubernetes API.</summary>
internal static class NameRule
{
    private const int MostLength = 253;

    public static bool IsName(string text) => text.Length is > 0 and <= MostLength && text.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '-' or '.') && text[0] is not ('.' or '-');
}
