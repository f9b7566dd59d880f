using System.Net;
using Microsoft.AspNetCore.Http;
using Phi.Operator.AgentApi.Identity;

namespace Phi.Operator.AgentApi;

/// <summary>Bodies of requests, up to a size.</summary>
internal static class RequestBody
{
    private const int ChunkBytes = 16 << 10;

    /// <summary>Null: it is larger, and the refusal is written. The rest of it Kestrel throws away, up to its own limit, so that the caller hears why.</summary>
    /// <param name="remedy">For who sends more.</param>
    public static async Task<byte[]?> ReadAsync(HttpContext http, int mostBytes, string remedy)
    {
        using var body = new MemoryStream();
        var chunk = new byte[ChunkBytes];
        while (await http.Request.Body.ReadAsync(chunk, http.RequestAborted) is > 0 and var read)
        {
            if (body.Length + read > mostBytes)
            {
                await new Refusal(HttpStatusCode.RequestEntityTooLarge, $"the body is larger than {mostBytes} bytes; {remedy}").WriteAsync(http);
                return null;
            }

            body.Write(chunk, 0, read);
        }

        return body.ToArray();
    }
}
