using Azure.Storage.Sas;
using Phi.Azurite;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Stores.Blobs;

namespace Phi.Checkpoints.Tests.Blobs;

/// <summary>Credentials that are let in, and what those hear that are not; none of it holds a secret.</summary>
public sealed class BlobAccessTests(AzuriteServer azurite)
{
    private static readonly DateTimeOffset Tomorrow = DateTimeOffset.UtcNow.AddDays(1);
    private readonly Uri _container = azurite.NewContainer().Uri;

    [Theory]
    [InlineData("connection string")]
    [InlineData("signature in the address")]
    [InlineData("signature in the environment")]
    [InlineData("connection string with a signature")]
    public void Open_EachCredential_MayDoAll(string credential)
    {
        var signature = azurite.Sign(AccountSasPermissions.All, Tomorrow);
        using var storage = credential switch
        {
            "connection string" => Open("", azurite.Environment),
            "signature in the address" => Open("?" + signature, _ => null),
            "signature in the environment" => Open("", name => name == "AZURE_STORAGE_SAS_TOKEN" ? "?" + signature : null),
            _ => Open("", name => name == "AZURE_STORAGE_CONNECTION_STRING" ? $"BlobEndpoint={azurite.Service.AbsoluteUri};SharedAccessSignature={signature}" : null),
        };

        StorageProbe.Run(storage, "probe");
        storage.Begin("run", 1);
        Assert.True(storage.Commit("run", 1, "step-00000001/manifest.json", "{}"u8.ToArray(), []));
        Assert.Equal($"{_container.AbsoluteUri}/prefix/step-00000001", storage.UriOf("step-00000001").AbsoluteUri);
    }

    [Fact]
    public void Probe_SignatureThatMayOnlyRead_IsRefusedWithTheRemedy()
    {
        using var storage = Open("?" + azurite.Sign(AccountSasPermissions.Read | AccountSasPermissions.List, Tomorrow), _ => null);
        Assert.Contains("Storage Blob Data Contributor", Refused(storage, "403 AuthorizationPermissionMismatch"), StringComparison.Ordinal);
    }

    [Fact]
    public void Probe_SignatureThatHasEnded_IsRefused()
    {
        using var storage = Open("?" + azurite.Sign(AccountSasPermissions.All, DateTimeOffset.UtcNow.AddMinutes(-5)), _ => null);
        Refused(storage, "403 AuthorizationFailure");
    }

    [Fact]
    public void Probe_WrongKey_IsRefused()
    {
        var other = Convert.ToBase64String(new byte[64]);
        using var storage = Open("", name => name == "AZURE_STORAGE_CONNECTION_STRING" ? azurite.ConnectionString.Replace(azurite.Key, other, StringComparison.Ordinal) : null);
        Assert.DoesNotContain(other, Refused(storage, "403"), StringComparison.Ordinal);
    }

    [Fact]
    public void Probe_ContainerThatIsNotThere_IsRefusedAndNamed()
    {
        using var storage = CheckpointStorages.Open($"{azurite.Service.AbsoluteUri}/nowhere/prefix", azurite.Environment);

        Assert.Contains("container 'nowhere'", Refused(storage, "404 ContainerNotFound"), StringComparison.Ordinal);
        Assert.Contains("ContainerNotFound", Assert.Throws<StorageException>(() => storage.Read("file", 0, new byte[1])).Message, StringComparison.Ordinal);
        Assert.Contains("ContainerNotFound", Assert.Throws<StorageException>(() => storage.Find("file")).Message, StringComparison.Ordinal);
        Assert.Contains("ContainerNotFound", Assert.Throws<StorageException>(() => storage.List("")).Message, StringComparison.Ordinal);
        Assert.Contains("ContainerNotFound", Assert.Throws<StorageException>(() => storage.Begin("run", 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Probe_HostThatIsNotThere_IsRefused()
    {
        using var storage = CheckpointStorages.Open("https://phitests.blob.invalid/container", name => name == "AZURE_STORAGE_SAS_TOKEN" ? azurite.Sign(AccountSasPermissions.All, Tomorrow) : null, new BlobOptions { RetryFor = TimeSpan.Zero });
        Refused(storage, "there is no host phitests.blob.invalid");
    }

    [Fact]
    public void Probe_NobodyListens_IsUnavailableForThoseWhoWait()
    {
        using var down = new AzuriteServer();
        using var storage = CheckpointStorages.Open($"{down.Service.AbsoluteUri}/container", down.Environment, new BlobOptions { RetryFor = TimeSpan.Zero });
        down.Kill();

        var error = Assert.Throws<StorageException>(() => StorageProbe.Run(storage, "probe"));
        Assert.Equal(StorageFault.Unavailable, error.Fault);
        Assert.Contains("ConnectionRefused", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_CredentialThatCannotBe_SaysSo()
    {
        Assert.Contains("is of the account 'other'", Assert.Throws<StorageException>(() => Open("", name => name == "AZURE_STORAGE_CONNECTION_STRING" ? "AccountName=other;AccountKey=a2V5" : null)).Message, StringComparison.Ordinal);
        var unreadable = Assert.Throws<StorageException>(() => Open("", name => name == "AZURE_STORAGE_CONNECTION_STRING" ? "AccountKey=a2V5LXRleHQ=" : null));
        Assert.Contains("cannot be read", unreadable.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("a2V5LXRleHQ", unreadable.ToString(), StringComparison.Ordinal);
        Assert.Contains("https alone", Assert.Throws<StorageException>(() => Open("", _ => null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Probe_NoCredentialAtAll_SaysWhereOneMayBe()
    {
        using var storage = CheckpointStorages.Open("https://phitests.blob.invalid/container", _ => null, new BlobOptions { RetryFor = TimeSpan.Zero, Identity = new NoIdentity() });
        Refused(storage, "there is no credential");
    }

    private ICheckpointStorage Open(string query, Func<string, string?> environment) => CheckpointStorages.Open($"{_container.AbsoluteUri}/prefix{query}", environment, new BlobOptions { RetryFor = TimeSpan.Zero });

    private string Refused(ICheckpointStorage storage, string expected)
    {
        var error = Assert.Throws<StorageException>(() => StorageProbe.Run(storage, "probe"));
        Assert.Equal(StorageFault.Refused, error.Fault);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(azurite.Key, error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("sig=", error.ToString(), StringComparison.Ordinal);
        return error.Message;
    }
}
