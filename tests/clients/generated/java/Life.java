import java.time.OffsetDateTime;
import java.util.List;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.ApiResponse;
import org.openapitools.client.api.PlansApi;
import org.openapitools.client.api.ProductsApi;
import org.openapitools.client.model.*;

/** The life of a product, through the Java client of openapi-generator. */
public final class Life {
  private static final String ID = "JAVA";
  private static final String WAIT = "wait=10";

  public static void main(String[] arguments) throws Exception {
    String token = System.getenv("API_TOKEN");
    ApiClient staff = client().setRequestInterceptor(
        request -> request.header("Authorization", "Bearer " + token));
    ProductsApi api = new ProductsApi(staff);

    ProductCreation creation = new ProductCreation()
        .productId(ID).name("Java by openapi-generator")
        .description("A product of a generated client.")
        .price("1500.00").features(List.of("10 GB"));
    ApiResponse<SavedProduct> created =
        api.createProductWithHttpInfo(creation, null, WAIT, null, null);
    expect("status of the creation", 201, created.getStatusCode());
    expect("version created", 1L, created.getData().getVersion());

    Product first = api.getProduct(ID, null, null, null);
    PatchedProductEdits edits =
        new PatchedProductEdits().price("1600.00").version(first.getVersion());
    SavedProduct edited = api.patchProduct(ID, edits, null, null, WAIT, null, null);
    expect("edited price", "1600.00", edited.getPrice());

    Product whole = api.getProduct(ID, null, null, null);
    whole.addFeaturesItem("E-mail");
    ProductEdits sentBack = ApiClient.createDefaultObjectMapper()
        .convertValue(whole, ProductEdits.class);
    SavedProduct put = api.updateProduct(ID, sentBack, null, null, WAIT, null, null);
    expect("features sent back", List.of("10 GB", "E-mail"), put.getFeatures());

    ProductPage page = api.listProducts(null, null, null, null, null, null, null, List.of(ID), 5,
        null, null, null, null, null, null, null);
    expect("the only listed product", ID, page.getProducts().get(0).getProductId());
    List<Change> changes = api.listChanges(ID, null, null, null).getChanges();
    expect("versions in the history", List.of(3L, 2L, 1L),
        changes.stream().map(Change::getVersion).toList());
    Change receipt = api.getReceipt(ID, 2L, null);
    expect("type of the change", ChangeTypeEnum.fromValue("UPDATE"), receipt.getChangeType());
    expect("price of version 1", "1500.00", api.getProduct(ID, null, null, "1").getPrice());
    String then = first.getUpdatedAt().toString();
    expect("price at a time", "1500.00", api.getProduct(ID, null, null, then).getPrice());

    liveAPlan(api, new PlansApi(staff));

    int deactivated =
        api.deactivateProductWithHttpInfo(ID, null, null, WAIT, null, null).getStatusCode();
    expect("status of the deletion", 204, deactivated);
    try {
      new ProductsApi(client()).getProduct(ID, null, null, null);
    } catch (ApiException refused) {
      expect("status for the public", 404, refused.getCode());
      System.out.println("complete");
    }
  }

  /** Offers the product at another price from now on, and ends that early. */
  private static void liveAPlan(ProductsApi api, PlansApi plans) throws Exception {
    PlanRowCreation row = new PlanRowCreation()
        .productId(ID).edits(new ProductEdits().price("1400.00"));
    PlanCreation creation = new PlanCreation()
        .name("Offer").endsAt(OffsetDateTime.now().plusDays(1).toString()).addRowsItem(row);
    String planId = plans.createPlan(creation, null, null, null).getPlanId();
    await(plans, planId, "running");
    expect("price of the offer", "1400.00", api.getProduct(ID, null, null, null).getPrice());
    plans.endPlan(planId, null, null);
    await(plans, planId, "ended");
    expect("price after it", "1600.00", api.getProduct(ID, null, null, null).getPrice());
  }

  private static void await(PlansApi plans, String planId, String state) throws Exception {
    while (!plans.getPlan(planId, null, null).getState().getValue().equals(state)) {
      Thread.sleep(50);
    }
  }

  private static ApiClient client() {
    ApiClient client = new ApiClient();
    client.updateBaseUri(System.getenv("API_URL"));
    return client;
  }

  private static void expect(String what, Object expected, Object actual) {
    if (!expected.equals(actual)) {
      throw new AssertionError(what + ": expected " + expected + ", but got " + actual);
    }
  }
}
