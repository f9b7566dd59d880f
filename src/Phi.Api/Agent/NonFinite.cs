using System.Buffers;

namespace Phi.Api.Agent;

/// <summary>Numbers that JSON has not and Python's <c>json.dumps</c> writes all the same: NaN, Infinity and -Infinity, bare.</summary>
internal static class NonFinite
{
    /// <summary>The text with these words in quotes, as this product's JSON has them; what stands in strings stays.</summary>
    public static ReadOnlySpan<byte> Quote(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf("NaN"u8) < 0 && json.IndexOf("Infinity"u8) < 0)
        {
            return json;
        }

        var quoted = new ArrayBufferWriter<byte>(json.Length + 16);
        var isInString = false;
        for (var i = 0; i < json.Length; i++)
        {
            var rest = json[i..];
            var word = isInString ? 0 : rest.StartsWith("NaN"u8) ? 3 : rest.StartsWith("Infinity"u8) ? 8 : rest.StartsWith("-Infinity"u8) ? 9 : 0;
            if (word > 0)
            {
                quoted.Write("\""u8);
                quoted.Write(rest[..word]);
                quoted.Write("\""u8);
                i += word - 1;
                continue;
            }

            var length = isInString && rest is [(byte)'\\', _, ..] ? 2 : 1;
            isInString ^= rest[0] == (byte)'"';
            quoted.Write(rest[..length]);
            i += length - 1;
        }

        return quoted.WrittenSpan;
    }
}
