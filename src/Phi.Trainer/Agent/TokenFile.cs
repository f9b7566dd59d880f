namespace Phi.Trainer.Agent;

/// <summary>The pod's token as its node has written it last. A request a second may read it each time: then none is ever made with an old one.</summary>
internal sealed class TokenFile(string path)
{
    /// <exception cref="HttpRequestException">It cannot be read now; what needs it may be tried again.</exception>
    public string Read()
    {
        try
        {
            return File.ReadAllText(path).Trim() is { Length: > 0 } token ? token : throw new HttpRequestException($"the pod's token file {path} is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HttpRequestException($"the pod's token cannot be read: {e.Message}", e);
        }
    }
}
