using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Stores.Blobs;

namespace Phi.Checkpoints.Tests.Blobs;

public sealed class BlobLocationTests
{
    [Theory]
    [InlineData("https://acc.blob.core.windows.net/models", "acc", "models", "", "https://acc.blob.core.windows.net/models")]
    [InlineData("https://acc.blob.core.windows.net/models/a/b%20c/?sv=1&sig=secret", "acc", "models", "a/b c", "https://acc.blob.core.windows.net/models/a/b c")]
    [InlineData("https://acc.blob.core.usgovcloudapi.net/models/a", "acc", "models", "a", "https://acc.blob.core.usgovcloudapi.net/models/a")]
    [InlineData("http://127.0.0.1:10000/devstoreaccount1/models/a", "devstoreaccount1", "models", "a", "http://127.0.0.1:10000/devstoreaccount1/models/a")]
    [InlineData("http://azurite:10000/devstoreaccount1/models", "devstoreaccount1", "models", "", "http://azurite:10000/devstoreaccount1/models")]
    public void Parse_Address_HasItsParts(string address, string account, string container, string prefix, string shown)
    {
        var location = BlobLocation.Parse(new Uri(address));
        Assert.Equal((account, container, prefix, shown), (location.Account, location.Container, location.Prefix, location.ToString()));
    }

    [Theory]
    [InlineData("https://acc.blob.core.windows.net/?sig=secret", "is no place in a blob service")]
    [InlineData("http://127.0.0.1:10000/devstoreaccount1?sig=secret", "is no place in a blob service")]
    [InlineData("https://user:secret@acc.blob.core.windows.net/models", "is no place in a blob service")]
    [InlineData("s3://bucket/prefix?sig=secret", "has the scheme s3")]
    [InlineData("https://:secret", "is no address")]
    public void Open_WhatIsNoPlace_IsRefusedWithAnExample(string location, string expected)
    {
        var message = Assert.Throws<CheckpointException>(() => CheckpointStorages.Open(location)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX", message, StringComparison.Ordinal);
        Assert.DoesNotContain("sig=", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FolderAndFileAddress_AreFolders()
    {
        using var path = CheckpointStorages.Open("/srv/check points");
        using var address = CheckpointStorages.Open("file:///srv/check%20points");
        Assert.Equal(("/srv/check points", "/srv/check points"), (path.UriOf("").LocalPath.TrimEnd('/'), address.UriOf("").LocalPath.TrimEnd('/')));
    }

    [Fact]
    public void BlockSizes_AllOfABlob_ReachTerabytesAndEndWithAReason()
    {
        const int first = 8 << 20;
        Assert.Equal(first, BlockSizes.Of(0, first));
        Assert.True(Enumerable.Range(0, BlockSizes.MostBlocks).Sum(index => (long)BlockSizes.Of(index, first)) > 2L << 40);
        Assert.Contains("50000 blocks", Assert.Throws<StorageException>(() => BlockSizes.Of(BlockSizes.MostBlocks, first)).Message, StringComparison.Ordinal);
    }
}
