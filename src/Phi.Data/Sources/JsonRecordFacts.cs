using System.Text;
using System.Text.Json;

namespace Phi.Data.Sources;

/// <summary>The facts of a JSON line. A value of another kind than is expected says nothing: it is never an error.</summary>
internal static class JsonRecordFacts
{
    /// <summary>Longer values are no names.</summary>
    private const int MostBytes = 4096;
    private static readonly byte[][] PathNames = Names(RecordFacts.PathFields);
    private static readonly byte[][] LanguageNames = Names(RecordFacts.LanguageFields);
    private static readonly byte[][] LicenseNames = Names(RecordFacts.LicenseFields);

    /// <param name="reader">At the name of a property, which is taken as it is written, without escapes; goes on to its value, or to the end of a list of licences.</param>
    public static RecordFacts Read(ref Utf8JsonReader reader, RecordFacts facts)
    {
        var name = reader.ValueSpan;
        var (isPath, isLanguage, isLicense) = (IsOneOf(name, PathNames), IsOneOf(name, LanguageNames), IsOneOf(name, LicenseNames));
        reader.Read();
        if (isPath)
        {
            return facts with { Path = Name(ref reader) ?? facts.Path };
        }

        if (isLanguage)
        {
            return facts with { Language = Name(ref reader) ?? facts.Language };
        }

        return isLicense && Names(ref reader) is { Count: > 0 } names ? facts with { Licenses = names } : facts;
    }

    private static byte[][] Names(IReadOnlyList<string> fields) => [.. fields.Select(Encoding.UTF8.GetBytes)];

    private static bool IsOneOf(ReadOnlySpan<byte> name, byte[][] names)
    {
        foreach (var one in names)
        {
            if (name.SequenceEqual(one))
            {
                return true;
            }
        }

        return false;
    }

    private static List<string> Names(ref Utf8JsonReader reader)
    {
        var names = new List<string>();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            Add(Name(ref reader));
            return names;
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            Add(Name(ref reader));
            reader.Skip();
        }

        return names;

        void Add(string? name)
        {
            if (name is not null)
            {
                names.Add(name);
            }
        }
    }

    private static string? Name(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length > MostBytes)
        {
            return null;
        }

        try
        {
            return RecordFacts.Clean(reader.GetString());
        }
        catch (InvalidOperationException)
        {
            // Not UTF-8, or half of a surrogate pair.
            return null;
        }
    }
}
