using System.Diagnostics;
using CsCheck;
using Phi.Trainer.Agent.Events;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests.Events;

/// <summary>What is on disk of events: the order, the begin of another life, and what a crash or a full disk leaves.</summary>
public sealed class EventSpoolTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi spool ").FullName;
    private readonly List<string> _log = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>
    /// A life of appends and reads, any of which may be its last: everything is read in order, once in one life; after the begin of
    /// another at most the oldest file is read again.
    /// </summary>
    [Fact]
    public void Read_AfterAnyLives_HasEveryEventInOrder()
    {
        // Appends so many events, removes what one read gives (0), or ends the life (-1).
        var operation = Gen.Frequency((6, Gen.Int[1, 5]), (4, Gen.Const(0)), (1, Gen.Const(-1)));
        operation.Array[1, 60].Sample(
            operations =>
            {
                var folder = Path.Combine(_folder, Guid.NewGuid().ToString("N"));
                var (appended, read) = (0, new List<long>());
                var spool = Open(folder, segmentBytes: 600);
                foreach (var count in operations)
                {
                    if (count > 0)
                    {
                        spool.Append(new SpoolRecord(1, [.. Enumerable.Range(appended + 1, count).Select(step => TestEvents.Step(step))]));
                        appended += count;
                    }
                    else if (count == 0)
                    {
                        _ = Take(spool, read, most: 4);
                    }
                    else
                    {
                        spool.Dispose();
                        spool = Open(folder, segmentBytes: 600);
                    }
                }

                while (Take(spool, read, most: 7))
                {
                }

                spool.Dispose();
                return read.Distinct().SequenceEqual(Enumerable.Range(1, appended).Select(step => (long)step))
                    && (operations.Contains(-1) || read.Count == appended)
                    && !Directory.EnumerateFileSystemEntries(Directory.CreateDirectory(folder).FullName).Any();
            },
            iter: 200,
            threads: 1);
    }

    [Fact]
    public void Read_TornLastRecord_IsLeftOutAndSaidAndWrittenBehind()
    {
        var newest = WriteThree();
        for (var cut = 1; cut < newest.Length; cut++)
        {
            var folder = Directory.CreateDirectory(Path.Combine(_folder, $"{cut}")).FullName;
            File.WriteAllBytes(Path.Combine(folder, "0000000001.events"), newest[..^cut]);
            using var spool = Open(folder);
            spool.Append(new SpoolRecord(1, [TestEvents.Step(9)]));

            var steps = new List<long>();
            while (Take(spool, steps, most: 2))
            {
            }

            var lines = newest.AsSpan()[..^cut].Count((byte)'\n');
            Assert.Equal([.. Enumerable.Range(1, lines).Select(step => (long)step), 9], steps);
        }

        Assert.Contains(_log, line => line.Contains("not written to their end", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_DamagedRecord_IsLeftOutAlone()
    {
        var bytes = WriteThree();
        var second = bytes.IndexOf((byte)'\n') + 30;
        for (var bit = 0; bit < 8; bit++)
        {
            var damaged = bytes.ToArray();
            damaged[second] ^= (byte)(1 << bit);
            Assert.NotEqual((byte)'\n', damaged[second]);
            var folder = Directory.CreateDirectory(Path.Combine(_folder, $"bit {bit}")).FullName;
            File.WriteAllBytes(Path.Combine(folder, "0000000001.events"), damaged);
            using var spool = Open(folder);

            var steps = new List<long>();
            while (Take(spool, steps, most: 10))
            {
            }

            Assert.Equal([1, 3], steps);
        }
    }

    [Fact]
    public void Read_RecordsOfTwoAttempts_AreTwoChunks()
    {
        using var spool = Open(Path.Combine(_folder, "attempts"));
        spool.Append(new SpoolRecord(1, [TestEvents.Step(1), TestEvents.Saved(1)]));
        spool.Append(new SpoolRecord(2, [TestEvents.Mark()]));

        var first = spool.Read(100)!;
        spool.Remove();
        var second = spool.Read(100)!;

        Assert.Equal((1, 2), (first.Attempt, first.Events.Count));
        Assert.Equal((2, 1), (second.Attempt, second.Events.Count));
    }

    [Fact]
    public void Append_FolderThatCannotBe_ThrowsAndKeepsNothing()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        using var spool = Open(Path.Combine(file, "below"));

        Assert.ThrowsAny<IOException>(() => spool.Append(new SpoolRecord(1, [TestEvents.Step(1)])));

        Assert.Equal((true, 0), (spool.IsEmpty, spool.Bytes));
    }

    /// <summary>A file system of 64 KiB, by a mount: needs root. A record that finds no room leaves nothing, not even in part.</summary>
    [Fact]
    public void Append_DiskFull_ThrowsAndGoesOnOnceThereIsRoom()
    {
        var folder = Path.Combine(_folder, "small");
        Directory.CreateDirectory(folder);
        Assert.True(Run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder), "this test mounts a file system: run it as root, or in a namespace of its own (unshare --user --map-root-user --mount)");
        try
        {
            using var spool = Open(folder, segmentBytes: 20_000);
            var (appended, read) = (0L, new List<long>());
            Fill();
            var (bytes, files) = (spool.Bytes, Directory.GetFiles(folder).Length);
            Assert.Equal(spool.Bytes, Directory.GetFiles(folder).Sum(file => new FileInfo(file).Length));
            for (var again = 0; again < 3; again++)
            {
                Assert.ThrowsAny<IOException>(() => Append(50));
            }

            Assert.Equal((bytes, files), (spool.Bytes, Directory.GetFiles(folder).Length));
            for (var take = 0; take < 200 && spool.Bytes == bytes; take++)
            {
                _ = Take(spool, read, most: 1);
            }

            Fill();
            while (Take(spool, read, most: 100))
            {
            }

            Assert.Equal(Enumerable.Range(1, (int)appended).Select(step => (long)step), read);
            Assert.Empty(Directory.GetFiles(folder));

            void Append(int steps) => spool.Append(new SpoolRecord(1, [.. Enumerable.Range(1, steps).Select(step => TestEvents.Step(appended + step))]));

            void Fill() => Assert.ThrowsAny<IOException>((Action)AppendWithoutEnd);

            void AppendWithoutEnd()
            {
                while (true)
                {
                    Append(50);
                    appended += 50;
                }
            }
        }
        finally
        {
            Run("umount", "--lazy", folder);
        }
    }

    /// <summary>The bytes of three records of one step each.</summary>
    private byte[] WriteThree()
    {
        var folder = Path.Combine(_folder, "three");
        using var spool = Open(folder);
        for (var step = 1; step <= 3; step++)
        {
            spool.Append(new SpoolRecord(1, [TestEvents.Step(step)]));
        }

        return File.ReadAllBytes(Directory.GetFiles(folder).Single());
    }

    private static bool Run(params string[] command)
    {
        using var process = Process.Start(command[0], command[1..]);
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private EventSpool Open(string folder, long segmentBytes = 1 << 20) => new(folder, segmentBytes, _log.Add);

    private static bool Take(EventSpool spool, List<long> steps, int most)
    {
        if (spool.Read(most) is not { } chunk)
        {
            return false;
        }

        steps.AddRange(chunk.Events.Cast<RankEvent.Stepped>().Select(stepped => stepped.Step.Step));
        spool.Remove();
        return true;
    }
}
