// Each class runs a whole control plane and trains; side by side they would only slow each other down.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: Xunit.TestCollectionOrderer(typeof(Phi.EndToEnd.Tests.RightsLast))]
