using Azure.Core;
using Azure.Identity;

namespace Phi.Checkpoints.Tests.Blobs;

/// <summary>A machine without any identity, as DefaultAzureCredential tells of it.</summary>
internal sealed class NoIdentity : TokenCredential
{
    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => throw new CredentialUnavailableException("none of the sources has a token");

    public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) => throw new CredentialUnavailableException("none of the sources has a token");
}
