import java.util.concurrent.CountDownLatch;
import org.elasticmq.rest.sqs.SQSRestServer;
import org.elasticmq.rest.sqs.SQSRestServerBuilder$;

/** ElasticMQ, an SQS in memory, on loopback: {@code ElasticMq PORT}. */
public final class ElasticMq {

    private ElasticMq() {}

    public static void main(String[] arguments) throws InterruptedException {
        SQSRestServer server = SQSRestServerBuilder$.MODULE$
            .withInterface("127.0.0.1")
            .withPort(Integer.parseInt(arguments[0]))
            .start();
        server.waitUntilStarted();
        Runtime.getRuntime().addShutdownHook(new Thread(server::stopAndWait));
        new CountDownLatch(1).await();
    }
}
