import ORM

/// The service of campaigns, which uses only the default implementations of `ResourceService`.
struct CampaignService: ResourceService {
    let rows: any Repository<Campaign>
}
