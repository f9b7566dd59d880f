using Phi.Azurite;

[assembly: AssemblyFixture(typeof(AzuriteServer))]
